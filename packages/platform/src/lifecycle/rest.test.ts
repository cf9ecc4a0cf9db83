import t from 'tap';
import { createRest } from './rest.ts';

t.test('what takes long rests for longer, and what is quick is done each time', async (t) => {
  let nowMs = 0;
  const rest = createRest({ share: 0.1, atMostMs: 5_000, monotonicMs: () => nowMs });
  let times = 0;
  const work = (tookMs: number) =>
    rest.unlessResting(async () => {
      nowMs += tookMs;
      times += 1;
      return times;
    });

  t.equal(await work(0), 1);
  t.equal(await work(100), 2);
  t.equal(await work(1), undefined, 'a tenth of the time');
  nowMs += 899;
  t.equal(await work(1), undefined);
  nowMs += 1;
  t.equal(await work(60_000), 3);
  nowMs += 4_999;
  t.equal(await work(1), undefined);
  nowMs += 1;
  t.equal(await work(1), 4, 'no longer than it may');
});

t.test('what failed has taken its time too', async (t) => {
  let nowMs = 0;
  const rest = createRest({ share: 0.5, atMostMs: 5_000, monotonicMs: () => nowMs });
  const failing = rest.unlessResting(async () => {
    nowMs += 100;
    throw new Error('busy');
  });
  await t.rejects(failing, { message: 'busy' });
  t.equal(await rest.unlessResting(async () => 1), undefined);
  nowMs += 100;
  t.equal(await rest.unlessResting(async () => 1), 1);
});
