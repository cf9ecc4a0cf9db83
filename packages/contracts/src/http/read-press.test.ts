import fc from 'fast-check';
import t from 'tap';
import { Check } from 'typebox/value';
import { pressParts, readPress } from './read-press.ts';
import { type SosTrigger, SosTriggerSchema } from './sos.ts';

const alertId = '01890a5d-ac96-774b-bcce-b302099a8057';
const triggeredAt = '2026-03-01T08:00:00.000Z';
const nowMs = Date.parse('2026-03-01T08:00:01.000Z');
const receivedAt = new Date(nowMs).toISOString();

const whole: SosTrigger = {
  alertId,
  triggeredAt,
  location: { lat: 41.15, lng: -8.61, accuracyMeters: 12, recordedAt: triggeredAt },
  batteryPercent: 17,
  device: { platform: 'android', model: 'P 9', osVersion: '16', appVersion: '4.2' },
  tripId: 'trip-1',
  note: 'red car',
};

/** Whatever a phone, or somebody who plays one, may have put there; what is nearly right more often than chance would have it. */
const anything = fc.oneof(
  fc.jsonValue(),
  fc.double(),
  fc.string({ unit: 'binary', maxLength: 1_200 }),
  fc.string({ unit: 'grapheme-composite', maxLength: 600 }),
  fc.constantFrom<unknown>(
    -1,
    0,
    100,
    101,
    1e308,
    Number.POSITIVE_INFINITY,
    '',
    null,
    [],
    {},
    '2026-12-31T23:59:60Z',
    `2026-03-01T08:00:00.${'0'.repeat(1_000)}Z`,
    '-271821-04-20T00:00:00.000Z',
    'e\u0301'.repeat(600),
    'e'.padEnd(20_000, '\u0301'),
    `${'x'.repeat(63)}😀😀`,
  ),
);
const anyLocation = fc.oneof(
  anything,
  fc.record(
    {
      lat: fc.oneof(fc.double({ min: -90, max: 90, noNaN: true }), anything),
      lng: fc.oneof(fc.double({ min: -180, max: 180, noNaN: true }), anything),
      accuracyMeters: anything,
      recordedAt: fc.oneof(fc.constant(triggeredAt), anything),
      altitude: anything,
    },
    { requiredKeys: ['lat', 'lng'] },
  ),
);
const anyDevice = fc.oneof(
  anything,
  fc.record(
    { platform: anything, model: anything, osVersion: anything, appVersion: anything, cpu: anything },
    { requiredKeys: [] },
  ),
);
const anyPress = fc
  .record(
    {
      triggeredAt: fc.oneof(fc.constant(triggeredAt), anything),
      location: anyLocation,
      batteryPercent: anything,
      device: anyDevice,
      tripId: anything,
      note: anything,
    },
    { requiredKeys: [] },
  )
  .chain((known) => fc.dictionary(fc.string(), anything).map((others) => ({ ...others, ...known, alertId })));

t.test('any JSON whatever beside a valid id is a press, and always one that the schema takes', async () => {
  fc.assert(
    fc.property(anyPress, (given) => {
      const read = readPress(given, nowMs);
      if (read === undefined || !Check(SosTriggerSchema, read.trigger)) return false;
      const { trigger, dropped } = read;
      return (
        trigger.alertId === alertId &&
        [trigger.triggeredAt, trigger.location?.recordedAt ?? triggeredAt].every((time) => Date.parse(time) > 0) &&
        JSON.stringify(trigger).length < 10_000 &&
        new Set(dropped).size === dropped.length &&
        dropped.every((part) => pressParts.includes(part))
      );
    }),
    { numRuns: 2_000 },
  );
});

t.test('what was valid stays as it was, beside whatever else', async () => {
  const names = Object.keys(whole).filter((name) => name !== 'alertId') as (keyof SosTrigger)[];
  fc.assert(
    fc.property(anyPress, fc.subarray(names), (given, kept) => {
      const press: Record<string, unknown> = { ...given };
      for (const name of kept) press[name] = whole[name];
      const read = readPress(press, nowMs);
      return kept.every((name) => JSON.stringify(read?.trigger[name]) === JSON.stringify(whole[name]));
    }),
    { numRuns: 1_000 },
  );
  fc.assert(
    fc.property(fc.constant(whole), fc.subarray(names, { maxLength: 5 }), (given, without) => {
      const press: Record<string, unknown> = { ...given };
      for (const name of without) if (name !== 'triggeredAt') delete press[name];
      const read = readPress(press, nowMs);
      return JSON.stringify(read?.trigger) === JSON.stringify(press) && read?.dropped.length === 0;
    }),
  );
});

t.test('each part that cannot be taken goes by itself, and is named', async (t) => {
  const cases: [given: object, left: object, dropped: string[]][] = [
    [{ batteryPercent: -1 }, { batteryPercent: undefined }, ['batteryPercent']],
    [
      { location: { lat: 41, lng: -8, accuracyMeters: -1, recordedAt: triggeredAt } },
      { location: { lat: 41, lng: -8, recordedAt: triggeredAt } },
      ['location.accuracyMeters'],
    ],
    [
      { location: { lat: 41, lng: -8 } },
      { location: { lat: 41, lng: -8, recordedAt: receivedAt } },
      ['location.recordedAt'],
    ],
    [{ location: { lat: 91, lng: -8, recordedAt: triggeredAt } }, { location: undefined }, ['location']],
    [
      { location: { ...whole.location, altitude: 3 }, battery: 3 },
      { location: whole.location, battery: undefined },
      ['other'],
    ],
    [
      { device: { model: 'm'.repeat(65), platform: '' } },
      { device: { model: 'm'.repeat(64) } },
      ['device.platform', 'device.model'],
    ],
    [{ device: 'P 9' }, { device: undefined }, ['device']],
    [{ note: 'n'.repeat(501) }, { note: 'n'.repeat(500) }, ['note']],
    [{ note: `x${'😀'.repeat(500)}` }, { note: `x${'😀'.repeat(499)}` }, ['note']],
    [{ note: '😀'.repeat(500) }, { note: '😀'.repeat(500) }, []],
    [{ note: null, tripId: 'not an id' }, { note: undefined, tripId: undefined }, ['tripId', 'note']],
    [{ triggeredAt: 'just now' }, { triggeredAt: receivedAt }, ['triggeredAt']],
    [{ triggeredAt: '2026-12-31T23:59:60Z' }, { triggeredAt: receivedAt }, ['triggeredAt']],
    [{ triggeredAt: `2026-03-01T08:00:00.${'0'.repeat(99)}Z` }, { triggeredAt: receivedAt }, ['triggeredAt']],
  ];
  for (const [given, left, dropped] of cases) {
    const read = readPress({ ...whole, ...given }, nowMs);
    t.same(
      read,
      { trigger: JSON.parse(JSON.stringify({ ...whole, ...left })), dropped },
      JSON.stringify(given).slice(0, 80),
    );
  }
  t.same(readPress({ alertId }, nowMs), { trigger: { alertId, triggeredAt: receivedAt }, dropped: ['triggeredAt'] });
  const poisoned = `{"alertId":"${alertId}","triggeredAt":"${triggeredAt}","__proto__":{"note":"not mine"}}`;
  t.same(readPress(JSON.parse(poisoned), nowMs), { trigger: { alertId, triggeredAt }, dropped: ['other'] });
});

t.test('without a valid id it is nobody’s press', async (t) => {
  for (const given of [null, 7, 'x', [], {}, [whole], { ...whole, alertId: alertId.toUpperCase() }, { triggeredAt }]) {
    t.equal(readPress(given, nowMs), undefined);
  }
});

t.test('what is very deep, wide or long costs nothing that is felt', async (t) => {
  const deep = JSON.parse('['.repeat(5_000) + ']'.repeat(5_000));
  const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`name${index}`, index]));
  const long = 'e'.padEnd(250_000, '\u0301');
  for (const value of [deep, wide, long]) {
    const parts = { location: value, device: value, note: value, tripId: value, triggeredAt: value, other: value };
    const startedAt = performance.now();
    const read = readPress({ ...parts, alertId }, nowMs);
    t.ok(performance.now() - startedAt < 5_000);
    t.ok(Check(SosTriggerSchema, read?.trigger));
    t.ok(JSON.stringify(read?.trigger).length < 10_000);
  }
});
