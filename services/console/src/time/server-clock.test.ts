import tap from 'tap';
import { createServerClock } from './server-clock.ts';

tap.test('a wrong clock on the desk does not make fixes look old', async (t) => {
  let localMs = 1_000_000;
  const clock = createServerClock(() => localMs);

  clock.observe(localMs + 120_000);
  localMs += 500;

  t.equal(clock.nowMs(), localMs + 120_000);
  t.equal(clock.lagMs(), 0);
});

tap.test('a message that took longer than the quickest one is late by the difference', async (t) => {
  let localMs = 1_000_000;
  const clock = createServerClock(() => localMs);
  clock.observe(localMs - 20);

  localMs += 5_000;
  clock.observe(localMs - 4_020);

  t.equal(clock.lagMs(), 4_000);
  t.equal(clock.nowMs(), localMs - 20, 'the late message does not move the clock');
});

tap.test('a clock that jumped is believed again after a minute of frames', async (t) => {
  let localMs = 1_000_000;
  const clock = createServerClock(() => localMs);
  clock.observe(localMs);
  localMs += 60_000;
  const serverBehindMs = 30_000;

  for (let frame = 0; frame < 60; frame += 1) {
    localMs += 1_000;
    clock.observe(localMs - serverBehindMs);
  }

  t.equal(clock.lagMs(), 0);
  t.equal(clock.nowMs(), localMs - serverBehindMs);
});
