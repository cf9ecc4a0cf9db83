import type { Fix } from '@hushryd/contracts/fix';
import { decodeLocFrame, encodeLocFrame } from '@hushryd/contracts/realtime/binary/loc-frame';
import fc from 'fast-check';
import t from 'tap';
import { createAcceptMemory } from './accept-fix.ts';
import { acceptFrame } from './accept-frame.ts';
import { encodeFixes } from './history/packed-fixes.ts';

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const settings = { seed, numRuns: 1000 };
t.comment(`fast-check seed ${seed}; SEED=${seed} repeats it`);

const nowMs = 1_772_352_955_000;
const limits = {
  maxSpeedKmh: 350,
  maxAccuracyMeters: 200,
  maxFutureMs: 30_000,
  liveMaxAgeMs: 30_000,
  maxFixAgeMs: 86_400_000,
};
/** Nine decimals, which is more than either lane keeps. */
const between = (min: number, max: number) =>
  fc.integer({ min: min * 1e9, max: max * 1e9 }).map((value) => value / 1e9);
const maybe = (value: fc.Arbitrary<number>) => fc.option(value, { nil: undefined });

/** A reading as phones give it: mostly good, in a town, with all the digits of a double; now and then late, odd or far away. */
const anyReading = fc.record({
  gap: fc.constantFrom(0, 0, 0, 0, 3),
  ageMs: fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: -1000, max: 60_000 }) },
    fc.integer({ min: -1e5, max: 1e8 }),
  ),
  lat: fc.oneof({ weight: 9, arbitrary: between(41.1, 41.2) }, between(-120, 120)),
  lng: fc.oneof({ weight: 9, arbitrary: between(-8.7, -8.6) }, between(-240, 240)),
  accuracyMeters: maybe(between(-1, 300)),
  speedMps: maybe(between(-1, 700)),
  headingDegrees: maybe(between(-1, 400)),
  batteryPercent: maybe(between(-1, 102)),
});

const anyFixes = fc.array(anyReading, { minLength: 1, maxLength: 30 }).map((readings) => {
  let seq = 0;
  return readings.map(({ gap, ageMs, ...rest }): Fix => {
    seq += 1 + gap;
    const given = Object.entries(rest).filter(([, value]) => value !== undefined);
    return { seq, recordedAtMs: nowMs - ageMs, ...(Object.fromEntries(given) as Omit<Fix, 'seq' | 'recordedAtMs'>) };
  });
});

type Encode = (frame: { run: number; from: number; fixes: Fix[] }) => Uint8Array;

/** What becomes of the fixes: the bytes that are stored of them, and the drops. */
function judge(fixes: readonly Fix[]) {
  const memory = createAcceptMemory();
  const { accepted, drops } = acceptFrame({
    driverId: 'd',
    run: 1,
    from: 1,
    fixes,
    access: null,
    memory,
    nowMs,
    limits,
  });
  return { stored: encodeFixes(accepted).toString('hex'), drops };
}

/** On the very edge of a limit the rounding decides; such a fix is left out. */
const isOnEdge = ({ lat, lng, accuracyMeters = 0, speedMps = 0, headingDegrees = 0, batteryPercent = 0 }: Fix) =>
  [
    [Math.abs(lat), 90, 1e-7],
    [Math.abs(lng), 180, 1e-7],
    [accuracyMeters, 0, 0.1],
    [accuracyMeters, 200, 0.1],
    [speedMps, 0, 0.01],
    [speedMps, 600, 0.01],
    [headingDegrees, 0, 0.01],
    [headingDegrees, 360, 0.01],
    [batteryPercent, 0, 1],
    [batteryPercent, 100, 1],
  ].some(([value = 0, limit = 0, unit = 0]) => value !== limit && Math.abs(value - limit) < unit);

const isJudgedAlike = (encode: Encode) =>
  fc.property(anyFixes, (all) => {
    const fixes = all.filter((fix) => !isOnEdge(fix));
    if (fixes.length === 0) return true;
    const decoded = decodeLocFrame(encode({ run: 1, from: 1, fixes }));
    if (!('type' in decoded)) return false;
    const [json, binary] = [judge(JSON.parse(JSON.stringify(fixes)) as Fix[]), judge(decoded.fixes)];
    return json.stored === binary.stored && JSON.stringify(json.drops) === JSON.stringify(binary.drops);
  });

t.test('fixes that come in JSON and in binary are dropped alike, and stored as the same bytes', async () => {
  fc.assert(isJudgedAlike(encodeLocFrame), settings);
});

t.test('control: a codec that loses a digit is found out', async (t) => {
  const coarser =
    (change: (fix: Fix) => Fix): Encode =>
    (frame) =>
      encodeLocFrame({ ...frame, fixes: frame.fixes.map(change) });
  const wrong: [name: string, encode: Encode][] = [
    ['lat', coarser((fix) => ({ ...fix, lat: Math.round(fix.lat * 1e6) / 1e6 }))],
    ['time', coarser((fix) => ({ ...fix, recordedAtMs: Math.round(fix.recordedAtMs / 10) * 10 }))],
    [
      'speed',
      coarser(({ speedMps, ...fix }) => (speedMps === undefined ? fix : { ...fix, speedMps: speedMps + 0.01 })),
    ],
    ['accuracy', coarser(({ accuracyMeters: _, ...fix }) => fix)],
  ];
  for (const [name, encode] of wrong) t.ok(fc.check(isJudgedAlike(encode), settings).failed, name);
});
