import t from 'tap';
import { sendOnSchedule, sendSaturated } from './timed-sends.ts';

t.test('a request that gets no answer keeps no later one from being sent, and all are counted', async (t) => {
  const sent: number[] = [];
  let answerFirst = () => {};
  const firstAnswer = new Promise<void>((resolve) => {
    answerFirst = resolve;
  });

  const sends = await sendOnSchedule({ count: 6, perSecond: 1_000, uncounted: 2 }, async (nth) => {
    sent.push(nth);
    if (nth === 5) answerFirst();
    if (nth === 0) await firstAnswer;
  });

  t.strictSame(sent, [0, 1, 2, 3, 4, 5]);
  t.equal(
    sends.counts.reduce((sum, count) => sum + count, 0),
    4,
    'the first two only warm up',
  );
});

t.test('a request that fails is told once the others have ended', async (t) => {
  let ended = 0;
  const failing = sendOnSchedule({ count: 4, perSecond: 1_000 }, async (nth) => {
    if (nth === 1) throw new Error('refused');
    ended += 1;
  });

  await t.rejects(failing, { message: 'refused' });
  t.equal(ended, 3);
});

t.test('saturated, so many are under way and no more than there are', async (t) => {
  let underWay = 0;
  let most = 0;
  let sent = 0;

  const perSecond = await sendSaturated({ inFlight: 3, seconds: 30, atMost: 20 }, async () => {
    sent += 1;
    underWay += 1;
    most = Math.max(most, underWay);
    await new Promise((resolve) => setImmediate(resolve));
    underWay -= 1;
  });

  t.strictSame({ most, sent }, { most: 3, sent: 20 });
  t.ok(perSecond > 0);
});
