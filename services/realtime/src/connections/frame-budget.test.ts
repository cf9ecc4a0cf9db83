import t from 'tap';
import { FrameBudget } from './frame-budget.ts';

t.test('twenty frames a second pass for ever, in bursts of forty; bad frames are forgiven with time', async (t) => {
  const limits = { maxFramesPerSecond: 20, maxBadFrames: 3 };
  const budget = new FrameBudget(limits, 0);
  let refused = 0;
  for (let nowMs = 0; nowMs < 60_000; nowMs += 50) if (!budget.takeFrame(limits, nowMs)) refused += 1;
  t.equal(refused, 0);

  const burst = new FrameBudget(limits, 0);
  const passed = Array.from({ length: 100 }, () => burst.takeFrame(limits, 1)).filter(Boolean).length;
  t.equal(passed, 40);

  t.same(
    [1, 2, 3, 4].map(() => burst.noteBadFrame(limits)),
    [true, true, true, false],
  );
  burst.takeFrame(limits, 10_000);
  t.equal(burst.noteBadFrame(limits), true, 'forgiven after a while');
});
