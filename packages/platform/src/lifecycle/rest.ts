/** Bounds how much of the time something may take: the longer it took, the longer it rests. */
export interface Rest {
  /** Does nothing while it rests. @returns undefined then */
  unlessResting<Result>(work: () => Promise<Result>): Promise<Result | undefined>;
}

/**
 * For work on a shared store that has time: where that is so busy that the work takes long, others come first.
 *
 * @param options.share of the time, above 0, at most 1
 * @param options.atMostMs it rests no longer than this
 */
export function createRest({
  share,
  atMostMs,
  monotonicMs = () => performance.now(),
}: {
  share: number;
  atMostMs: number;
  monotonicMs?: () => number;
}): Rest {
  let restsUntil = Number.NEGATIVE_INFINITY;
  return {
    async unlessResting(work) {
      const startedAt = monotonicMs();
      if (startedAt < restsUntil) return undefined;
      try {
        return await work();
      } finally {
        const endedAt = monotonicMs();
        restsUntil = endedAt + Math.min(atMostMs, (endedAt - startedAt) * (1 / share - 1));
      }
    },
  };
}
