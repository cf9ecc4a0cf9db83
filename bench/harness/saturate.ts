import type { Throughput } from './throughput.ts';

const growth = 1.3;
/** Delivery that grows by less than this does not grow. */
const leastGrowth = 1.03;
const maxSteps = 10;

/** Raise the offered load until delivery stops growing, twice in a row: a paced run below that would measure the pace. */
export async function raiseUntilSaturated({
  startAt,
  measureAt,
}: {
  startAt: number;
  /** Offer so much a second and say what came of it. */
  measureAt: (offered: number) => Promise<Throughput>;
}): Promise<Throughput> {
  let best: Throughput = { perSecond: 0, corePercent: 0 };
  let withoutGrowth = 0;
  let offered = startAt;
  for (let step = 0; step < maxSteps && withoutGrowth < 2; step += 1, offered *= growth) {
    const delivered = await measureAt(offered);
    withoutGrowth = delivered.perSecond > best.perSecond * leastGrowth ? 0 : withoutGrowth + 1;
    if (delivered.perSecond > best.perSecond) best = delivered;
  }
  return best;
}
