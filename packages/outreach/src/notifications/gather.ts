/** Hands an item to the next batch. @returns what became of it */
export type Gather<Item, Result> = (item: Item) => Promise<Result>;

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result | Promise<Result>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One batch at a time: what comes while it is under way makes up the next one, so nobody waits for others to come.
 *
 * It bounds what a database is asked for at once as limit-in-flight.ts does, and what many ask for is one write and one sync of the disk.
 *
 * @param input.run gives the results in the order of the items; where it rejects, all of the batch do
 * @param input.mayBeOfOne whether an error may be of one item alone: then each is run by itself, so that it keeps no other from its result
 */
export function createGather<Item, Result>({
  maxItems,
  run,
  mayBeOfOne = () => false,
}: {
  maxItems: number;
  run: (items: readonly Item[]) => Promise<readonly (Result | Promise<Result>)[]>;
  mayBeOfOne?: (error: unknown) => boolean;
}): Gather<Item, Result> {
  const waiting: Waiting<Item, Result>[] = [];
  let isBusy = false;

  async function runAll(): Promise<void> {
    isBusy = true;
    // What comes in this turn of the loop goes together.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) await runBatch(waiting.splice(0, maxItems));
    isBusy = false;
  }

  async function runBatch(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await run(batch.map(({ item }) => item));
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result | Promise<Result>);
    } catch (error) {
      if (batch.length > 1 && mayBeOfOne(error)) {
        for (const one of batch) await runBatch([one]);
      } else {
        for (const { reject } of batch) reject(error);
      }
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!isBusy) void runAll();
    });
}
