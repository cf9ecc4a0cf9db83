import { createFakeClock } from '@hushryd/platform/testing/clock';
import { test } from 'tap';
import { createResendRequests } from './resend-requests.ts';

test('a phone is asked at most every 5 s, each run by itself', async (t) => {
  const clock = createFakeClock(0);
  const said: string[] = [];
  const ask = createResendRequests({
    publish: async (partition, missing) => {
      for (const { driverId, run, from } of missing) said.push(`${partition}: ${driverId} ${run} from ${from}`);
    },
    now: clock.now,
  });
  const missingOf = (driverId: string, run = 1) => ({ driverId, run, from: 3 });
  const asked = async (...missing: ReturnType<typeof missingOf>[]) => {
    await ask(7, missing);
    return said.splice(0);
  };

  t.strictSame(await asked(missingOf('dora')), ['7: dora 1 from 3']);
  clock.advance(4_999);
  t.strictSame(await asked(missingOf('dora'), missingOf('emil')), ['7: emil 1 from 3']);
  t.strictSame(await asked(missingOf('dora', 2)), ['7: dora 2 from 3']);
  clock.advance(1);
  t.strictSame(await asked(missingOf('dora'), missingOf('emil')), ['7: dora 1 from 3']);
});
