import t from 'tap';
import { createGather } from './gather.ts';

function openGather(maxItems: number) {
  const batches: { items: readonly number[]; end: (error?: Error) => void }[] = [];
  const onBatch: (() => void)[] = [];
  const gather = createGather<number, string>({
    maxItems,
    run: (items) =>
      new Promise((resolve, reject) => {
        batches.push({ items, end: (error) => (error ? reject(error) : resolve(items.map((item) => `done ${item}`))) });
        onBatch.shift()?.();
      }),
  });
  const nextBatch = () => new Promise<void>((resolve) => onBatch.push(resolve));
  return { gather, batches, nextBatch };
}

t.test('what comes while a batch is under way makes up the next ones, and each hears of its own', async (t) => {
  const { gather, batches, nextBatch } = openGather(3);
  const begun = nextBatch();
  const results = [gather(0)];
  await begun;
  results.push(...[1, 2, 3, 4].map(gather));

  for (const batch of [0, 1]) {
    const next = nextBatch();
    batches[batch]?.end();
    await next;
  }
  batches[2]?.end();

  t.strictSame(await Promise.all(results), ['done 0', 'done 1', 'done 2', 'done 3', 'done 4']);
  t.strictSame(
    batches.map(({ items }) => items),
    [[0], [1, 2, 3], [4]],
    'one at a time, none larger than it may be',
  );
});

t.test('a batch that fails takes none of the next one with it', async (t) => {
  const { gather, batches, nextBatch } = openGather(8);
  const begun = nextBatch();
  const failing = [gather(1), gather(2)];
  await begun;
  const later = gather(3);
  const next = nextBatch();
  batches[0]?.end(new Error('away'));

  for (const one of failing) await t.rejects(one, { message: 'away' });
  await next;
  batches[1]?.end();
  t.equal(await later, 'done 3');
});

t.test('an error that may be of one item is the error of that one alone', async (t) => {
  const asked: (readonly number[])[] = [];
  const gather = createGather<number, string>({
    maxItems: 8,
    async run(items) {
      asked.push(items);
      if (items.includes(2)) throw new RangeError('two');
      return items.map((item) => `done ${item}`);
    },
    mayBeOfOne: (error) => error instanceof RangeError,
  });

  const results = await Promise.allSettled([1, 2, 3].map(gather));

  t.match(results, [{ value: 'done 1' }, { reason: { message: 'two' } }, { value: 'done 3' }]);
  t.strictSame(asked, [[1, 2, 3], [1], [2], [3]]);
});
