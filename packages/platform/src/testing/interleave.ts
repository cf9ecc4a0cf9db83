import { setImmediate as turn } from 'node:timers/promises';
import { createRandom } from './random.ts';

/** Runs what would happen at once one step at a time, in an order that follows from a seed. */
export interface Interleaving {
  /** A place where others may come first: everybody stops here until it is their turn. */
  step(): Promise<void>;
  /** The same function with a step before and after. What it waits for (a store) has answered before anybody else moves. */
  inSteps<Args extends unknown[], Result>(work: (...args: Args) => Promise<Result>): (...args: Args) => Promise<Result>;
  /** Begin them all, and give out turns until all have ended, and whatever they left behind has too. */
  run(actors: readonly (() => Promise<unknown>)[]): Promise<void>;
}

/** Whoever moved last goes on as often as this: so somebody may stand still for as long as another one needs for everything. */
const goesOn = 0.8;

/**
 * An order in which races show. Real stores answer in their own time, which a scheduler of promises does not see: here nobody gets a turn
 * while one answers, so the same seed gives the same order.
 */
export function createInterleaving(seed: number): Interleaving {
  const random = createRandom(seed);
  const waiting: (() => void)[] = [];
  let asking = 0;

  const step = (): Promise<void> =>
    new Promise((resolve) => {
      waiting.push(resolve);
    });

  async function settle(): Promise<void> {
    do await turn();
    while (asking > 0);
  }

  return {
    step,
    inSteps:
      (work) =>
      async (...args) => {
        await step();
        asking += 1;
        try {
          return await work(...args).finally(() => {
            asking -= 1;
          });
        } finally {
          await step();
        }
      },
    async run(actors) {
      let failure: { error: unknown } | undefined;
      for (const actor of actors) {
        actor().catch((error: unknown) => {
          failure ??= { error };
        });
      }
      await settle();
      while (waiting.length > 0) {
        // The newest one is whoever moved last.
        const index = random() < goesOn ? waiting.length - 1 : Math.floor(random() * waiting.length);
        waiting.splice(index, 1)[0]?.();
        await settle();
      }
      if (failure !== undefined) throw failure.error;
    },
  };
}
