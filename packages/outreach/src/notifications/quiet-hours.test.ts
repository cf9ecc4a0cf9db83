import fc from 'fast-check';
import t from 'tap';
import { isTimeZone, quietUntilMs } from './quiet-hours.ts';

const night = { from: '22:00', to: '07:00' };
const until = (timeZone: string, now: string, quietHours = night) => {
  const ms = quietUntilMs({ quietHours, timeZone, nowMs: Date.parse(now) });
  return ms === undefined ? undefined : new Date(ms).toISOString();
};

t.test('quiet hours are those of the person’s place', async (t) => {
  // 23:30 in Kolkata, 18:00 in London.
  t.equal(until('Asia/Kolkata', '2026-03-01T18:00:00Z'), '2026-03-02T01:30:00.000Z');
  t.equal(until('Europe/London', '2026-03-01T18:00:00Z'), undefined);
  t.equal(until('Asia/Kolkata', '2026-03-02T01:29:59Z'), '2026-03-02T01:30:00.000Z');
  t.equal(until('Asia/Kolkata', '2026-03-02T01:30:00Z'), undefined);
  t.equal(until('Asia/Kolkata', '2026-03-01T08:00:00Z', { from: '13:00', to: '14:00' }), '2026-03-01T08:30:00.000Z');
  t.equal(until('Asia/Kolkata', '2026-03-01T08:00:00Z', { from: '13:00', to: '13:00' }), undefined);
});

t.test('a night with one hour more or less ends when the clock says so', async (t) => {
  t.equal(until('Europe/Berlin', '2026-03-28T22:30:00Z'), '2026-03-29T05:00:00.000Z');
  t.equal(until('Europe/Berlin', '2026-10-24T21:30:00Z'), '2026-10-25T06:00:00.000Z');
});

t.test('what is put off is put off to a moment that is not quiet, within a day', async (t) => {
  const seed = Date.now() % 2 ** 31;
  t.comment(`fast-check seed ${seed}`);
  const time = fc
    .tuple(fc.nat(23), fc.nat(59))
    .map(([hours, minutes]) => `${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`);
  const zone = fc.constantFrom('Asia/Kolkata', 'Asia/Kathmandu', 'America/New_York', 'Australia/Lord_Howe', 'UTC');
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(time, time, zone, fc.nat(365 * 24 * 60), (from, to, timeZone, minute) => {
        const nowMs = Date.UTC(2026, 0, 1) + minute * 60_000;
        const quietHours = { from, to };
        const untilMs = quietUntilMs({ quietHours, timeZone, nowMs });
        if (untilMs === undefined) return true;
        // Where the clock jumps over the very end, the end is an hour off at most.
        const later = [0, 60].map((minutes) => untilMs + minutes * 60_000);
        return (
          untilMs > nowMs - 60_000 * 60 &&
          untilMs <= nowMs + 26 * 3_600_000 &&
          later.some((ms) => quietUntilMs({ quietHours, timeZone, nowMs: ms }) === undefined || from === to)
        );
      }),
      { seed, numRuns: 2_000 },
    ),
  );
});

t.test('a time zone that there is not is known as such', async (t) => {
  t.ok(isTimeZone('Asia/Kolkata'));
  t.notOk(isTimeZone('Mars/Olympus'));
  t.notOk(isTimeZone(''));
});
