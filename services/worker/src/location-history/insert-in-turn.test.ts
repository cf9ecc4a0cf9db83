import type { HistoryDocument } from '@hushryd/tracking/history/to-history-document';
import t from 'tap';
import { insertInTurn } from './insert-in-turn.ts';

const documents = (count: number, run: number) =>
  Array.from({ length: count }, (_, seq) => ({ run, seq })) as unknown as HistoryDocument[];

/** A store whose inserts end when the test says so. */
function createSlowStore() {
  const begun: { size: number; end: (error?: Error) => void }[] = [];
  let atOnce = 0;
  let mostAtOnce = 0;
  return {
    begun,
    get mostAtOnce() {
      return mostAtOnce;
    },
    async insert(batch: readonly HistoryDocument[]): Promise<void> {
      atOnce += 1;
      mostAtOnce = Math.max(mostAtOnce, atOnce);
      try {
        await new Promise<void>((resolve, reject) => {
          begun.push({ size: batch.length, end: (error) => (error ? reject(error) : resolve()) });
        });
      } finally {
        atOnce -= 1;
      }
    },
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

t.test('no more inserts run at once than allowed, and all of them run', async (t) => {
  const store = createSlowStore();
  const inTurn = insertInTurn(store, { atOnce: 2, fixesAtOnce: 100 });

  const inserts = [1, 2, 3, 4, 5].map((run) => inTurn.insert(documents(10, run)));
  for (let ended = 0; ended < 5; ended += 1) {
    await turn();
    t.equal(store.begun.length, Math.min(5, ended + 2));
    store.begun[ended]?.end();
  }

  await Promise.all(inserts);
  t.equal(store.mostAtOnce, 2);
});

t.test('a large batch goes in pieces, and one that fails frees its turn', async (t) => {
  const store = createSlowStore();
  const inTurn = insertInTurn(store, { atOnce: 1, fixesAtOnce: 100 });

  const large = inTurn.insert(documents(250, 1));
  const next = inTurn.insert(documents(1, 2));
  await turn();
  store.begun[0]?.end(new Error('too slow'));
  await t.rejects(large, { message: 'too slow' });
  await turn();
  store.begun[1]?.end();
  await next;

  const again = inTurn.insert(documents(250, 1));
  for (let piece = 2; piece < 5; piece += 1) {
    await turn();
    store.begun[piece]?.end();
  }
  await again;
  t.strictSame(
    store.begun.map(({ size }) => size),
    [100, 1, 100, 100, 50],
  );
});
