/** Pieces of one job that do not depend on each other. */
export interface Attempts {
  /** Do one piece; a failure is kept for the end. @returns its result, undefined where it failed */
  make<Result>(work: () => Promise<Result>): Promise<Result | undefined>;
  /** @throws what failed first, once all pieces have had their turn */
  throwFirst(): void;
}

/** For jobs over several partitions or records, where one shard of Redis that is away must not keep the others waiting. */
export function createAttempts(): Attempts {
  let first: { error: unknown } | undefined;
  return {
    async make(work) {
      try {
        return await work();
      } catch (error) {
        first ??= { error };
        return undefined;
      }
    },
    throwFirst() {
      if (first !== undefined) throw first.error;
    },
  };
}
