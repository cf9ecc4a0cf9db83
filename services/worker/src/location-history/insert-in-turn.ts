import type { HistoryStore } from '@hushryd/tracking/history/history-store';
import type { HistoryDocument } from '@hushryd/tracking/history/to-history-document';

/**
 * Inserts of all partitions in turn: at most `atOnce` at a time, each of at most `fixesAtOnce` documents.
 *
 * A backlog makes every partition's batch due at the same moment. Sent together to a database that is slow, all of them would run past
 * their deadline, and be sent again, on top of those that the server still works on; history then stands still for as long as
 * the backlog lasts (seen with 16 batches of 512 on an overloaded machine: 5,000 fixes in a minute). In turn each has the deadline for itself.
 *
 * @throws what the store throws; some of the documents may have been stored, as with any failed insert
 */
export function insertInTurn(
  store: Pick<HistoryStore, 'insert'>,
  { atOnce, fixesAtOnce }: { atOnce: number; fixesAtOnce: number },
): Pick<HistoryStore, 'insert'> {
  const waiting: (() => void)[] = [];
  let running = 0;

  async function takeTurn(): Promise<void> {
    if (running < atOnce) {
      running += 1;
      return;
    }
    await new Promise<void>((resolve) => waiting.push(resolve));
  }

  /** The turn goes straight to the next in line. */
  function passTurn(): void {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }

  async function insertPiece(documents: readonly HistoryDocument[]): Promise<void> {
    await takeTurn();
    try {
      await store.insert(documents);
    } finally {
      passTurn();
    }
  }

  return {
    async insert(documents) {
      for (let from = 0; from < documents.length; from += fixesAtOnce) {
        await insertPiece(documents.slice(from, from + fixesAtOnce));
      }
    },
  };
}
