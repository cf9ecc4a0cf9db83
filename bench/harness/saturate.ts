/** One step of offered load. */
export interface LoadStep {
  readonly offered: number;
  readonly delivered: number;
}

const growth = 1.3;
/** Delivery that grows by less than this does not grow. */
const leastGrowth = 1.03;
const maxSteps = 10;

/**
 * Raise the offered load until delivery stops growing, twice in a row: a paced run below that would measure the pace.
 *
 * @returns every step; the largest delivery is the figure
 */
export async function raiseUntilSaturated({
  startAt,
  measureAt,
}: {
  startAt: number;
  /** Offer so much and say what came of it. */
  measureAt: (offered: number) => Promise<number>;
}): Promise<LoadStep[]> {
  const steps: LoadStep[] = [];
  let best = 0;
  let withoutGrowth = 0;
  for (let offered = startAt; steps.length < maxSteps && withoutGrowth < 2; offered *= growth) {
    const delivered = await measureAt(offered);
    steps.push({ offered, delivered });
    withoutGrowth = delivered > best * leastGrowth ? 0 : withoutGrowth + 1;
    best = Math.max(best, delivered);
  }
  return steps;
}

export const mostDelivered = (steps: readonly LoadStep[]): number =>
  Math.max(...steps.map(({ delivered }) => delivered));
