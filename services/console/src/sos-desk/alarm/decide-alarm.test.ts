import tap from 'tap';
import { decideAlarm, loudMs, silenceMs } from './decide-alarm.ts';

const nowMs = 1_000_000;
const quiet = { unclaimedCount: 0, loudAtMs: undefined, silencedAtMs: undefined, nowMs };

tap.test('the alarm sounds while nobody works on an alert, and not otherwise', async (t) => {
  t.same(decideAlarm(quiet), { kind: 'off' });
  t.same(decideAlarm({ ...quiet, unclaimedCount: 1 }), { kind: 'on' });
});

tap.test('silence lasts a minute and never longer', async (t) => {
  const silenced = { ...quiet, unclaimedCount: 2, silencedAtMs: nowMs - 1000 };
  t.same(decideAlarm(silenced), { kind: 'silenced', forMs: silenceMs - 1000 });
  t.same(decideAlarm({ ...silenced, silencedAtMs: nowMs - silenceMs }), { kind: 'on' });
});

tap.test('a new alert ends the silence that was asked for before it', async (t) => {
  const silencedAtMs = nowMs - 1000;
  t.same(decideAlarm({ ...quiet, unclaimedCount: 2, silencedAtMs, loudAtMs: nowMs - 10 }), { kind: 'on' });
  t.match(decideAlarm({ ...quiet, unclaimedCount: 2, silencedAtMs, loudAtMs: silencedAtMs }), { kind: 'silenced' });
});

tap.test('what happens to a claimed alert is loud for a moment', async (t) => {
  t.same(decideAlarm({ ...quiet, loudAtMs: nowMs - loudMs + 1 }), { kind: 'on' });
  t.same(decideAlarm({ ...quiet, loudAtMs: nowMs - loudMs }), { kind: 'off' });
});
