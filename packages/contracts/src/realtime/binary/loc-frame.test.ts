import fc from 'fast-check';
import t from 'tap';
import { Compile } from 'typebox/compile';
import type { Fix } from '../../fix.ts';
import { type LocFrame, LocFrameSchema } from '../client-frames.ts';
import { decodeLocFrame, encodeLocFrame } from './loc-frame.ts';

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const settings = { seed, numRuns: 2000 };
t.comment(`fast-check seed ${seed}; SEED=${seed} repeats it`);

const check = Compile(LocFrameSchema);
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -400, max: 400 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const optional = fc.option(number, { nil: undefined });
const anyFix = fc.record({
  gap: fc.oneof(fc.constant(0), fc.nat(1000), fc.nat(30_000_000)),
  recordedAtMs: fc.oneof(fc.integer({ min: 0, max: 2 ** 42 }), number),
  lat: number,
  lng: number,
  accuracyMeters: optional,
  speedMps: optional,
  headingDegrees: optional,
  batteryPercent: optional,
});
const anyId = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);

/** Any frame that fits its schema and whose seqs rise. */
const anyFrame = fc
  .record({
    id: fc.option(fc.maxSafeNat(), { nil: undefined }),
    run: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    from: fc.integer({ min: 1, max: 1_000_000_000 }),
    tripId: fc.option(anyId, { nil: undefined }),
    fixes: fc.array(anyFix, { minLength: 1, maxLength: 100 }),
  })
  .map(({ id, run, from, tripId, fixes }): LocFrame => {
    let seq = from - 1;
    const numbered = fixes.map(({ gap, ...fix }) => {
      seq += 1 + gap;
      return withoutAbsent({ seq, ...fix }) as Fix;
    });
    return withoutAbsent({ type: 'loc', id, run, from, tripId, fixes: numbered }) as LocFrame;
  });

const withoutAbsent = (value: object) =>
  Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));

/** What the documentation says of rounding, once more and in other words. Numbers beyond all measure stay beyond it. */
function rounded(frame: LocFrame): LocFrame {
  const edge = 2 ** 50;
  const to = (value: number, units: number) => {
    const whole = Math.round(value * units);
    return (Math.abs(whole) > edge ? Math.sign(whole) * edge : whole + 0) / units;
  };
  return {
    ...frame,
    fixes: frame.fixes.map(
      ({ seq, recordedAtMs, lat, lng, accuracyMeters, speedMps, headingDegrees, batteryPercent }) => ({
        seq,
        recordedAtMs: to(recordedAtMs, 1),
        lat: to(lat, 1e7),
        lng: to(lng, 1e7),
        ...(accuracyMeters !== undefined && { accuracyMeters: to(accuracyMeters, 10) }),
        ...(speedMps !== undefined && { speedMps: to(speedMps, 100) }),
        ...(headingDegrees !== undefined && { headingDegrees: to(headingDegrees, 100) }),
        ...(batteryPercent !== undefined && { batteryPercent: to(batteryPercent, 1) }),
      }),
    ),
  };
}

/** Fields in one order, and −0 as 0, as JSON writes them. */
const textOf = (frame: object): string =>
  JSON.stringify(frame, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => a.localeCompare(b)))
      : value,
  );

const survives = (encode: typeof encodeLocFrame) =>
  fc.property(anyFrame, (frame) => textOf(decodeLocFrame(encode(frame))) === textOf(rounded(frame)));

t.test('every frame comes back as it was, rounded as documented', async () => {
  fc.assert(survives(encodeLocFrame), settings);
});

t.test('control: a codec that gets one field wrong is found out', async (t) => {
  const onFixes = (change: (fix: Fix) => Fix) => (frame: Omit<LocFrame, 'type'>) =>
    encodeLocFrame({ ...frame, fixes: frame.fixes.map(change) });
  const broken: [name: string, encode: typeof encodeLocFrame][] = [
    ['run', (frame) => encodeLocFrame({ ...frame, run: frame.run === 1 ? 2 : frame.run - 1 })],
    ['trip', ({ tripId: _, ...frame }) => encodeLocFrame(frame)],
    ['id', ({ id: _, ...frame }) => encodeLocFrame(frame)],
    ['from', (frame) => encodeLocFrame({ ...frame, from: Math.max(1, frame.from - 1) })],
    ['time', onFixes((fix) => ({ ...fix, recordedAtMs: fix.recordedAtMs + 1 }))],
    ['lat', onFixes((fix) => ({ ...fix, lat: fix.lat + 1e-7 }))],
    ['lng', onFixes((fix) => ({ ...fix, lng: Math.abs(fix.lng) }))],
    ['accuracy', onFixes(({ accuracyMeters: _, ...fix }) => fix)],
    ['speed', onFixes((fix) => (fix.speedMps === undefined ? fix : { ...fix, speedMps: Math.round(fix.speedMps) }))],
    ['heading', onFixes((fix) => (fix.headingDegrees === undefined ? fix : { ...fix, headingDegrees: 0 }))],
    ['battery', onFixes((fix) => (fix.batteryPercent === undefined ? { ...fix, batteryPercent: 0 } : fix))],
  ];
  for (const [name, encode] of broken) t.ok(fc.check(survives(encode), settings).failed, name);
});

t.test('the example of the documentation is what it says', async (t) => {
  const hex = '11 01 02 05 01 02  02 0e 80 02 02 10  00 06 02 01';
  const frame = {
    id: 2,
    run: 5,
    from: 1,
    fixes: [
      { seq: 1, recordedAtMs: 7, lat: 0.0000128, lng: 1e-7, speedMps: 0.08 },
      { seq: 2, recordedAtMs: 10, lat: 0.0000129, lng: 0 },
    ],
  };

  t.equal(Buffer.from(encodeLocFrame(frame)).toString('hex'), hex.replaceAll(' ', ''));
  t.same(decodeLocFrame(Buffer.from(hex.replaceAll(' ', ''), 'hex')), { type: 'loc', ...frame });
});

t.test('no frame is longer than a frame may be', async (t) => {
  const fixes = Array.from({ length: 100 }, (_, index) => {
    const far = index % 2 === 0 ? 1e300 : -1e300;
    const given = { accuracyMeters: far, speedMps: far, headingDegrees: far, batteryPercent: far };
    return { seq: 1 + index * 40_000_000, recordedAtMs: far, lat: far, lng: far, ...given };
  });
  const frame = { id: Number.MAX_SAFE_INTEGER, run: Number.MAX_SAFE_INTEGER, from: 1, tripId: 'a'.repeat(64), fixes };

  const bytes = encodeLocFrame(frame);

  t.ok(bytes.length < 8192, `${bytes.length} bytes`);
  t.equal(textOf(decodeLocFrame(bytes)), textOf(rounded({ type: 'loc', ...frame })));
});

/** Whatever comes: a frame that fits its schema and rises, or a named error; and nothing is thrown. */
function isJudged(bytes: Uint8Array): boolean {
  const judged = decodeLocFrame(bytes);
  if (!('type' in judged)) return judged.code === 'frame_malformed' || judged.code === 'frame_invalid';
  const isRising = judged.fixes.every(({ seq }, index) => seq > (judged.fixes[index - 1]?.seq ?? judged.from - 1));
  return check.Check(judged) && isRising;
}

t.test('random bytes, cut frames and flipped bits become a frame or a named error', async (t) => {
  const bytes = fc.uint8Array({ maxLength: 400 });
  fc.assert(fc.property(bytes, isJudged), settings);
  fc.assert(
    fc.property(bytes, fc.nat(3), (rest, flags) => isJudged(Uint8Array.from([0x11, flags, ...rest]))),
    settings,
  );
  fc.assert(
    fc.property(anyFrame, fc.nat(), fc.array(fc.nat(), { maxLength: 4 }), (frame, cutAt, flips) => {
      const whole = encodeLocFrame(frame);
      const cut = decodeLocFrame(whole.subarray(0, cutAt % whole.length));
      const flipped = whole.slice();
      for (const flip of flips) flipped[(flip >> 3) % whole.length]! ^= 1 << (flip & 7);
      return 'code' in cut && isJudged(flipped) && isJudged(flipped.subarray(0, cutAt % whole.length));
    }),
    settings,
  );

  await t.test('bytes behind the frame, or around it, are not looked at', async (t) => {
    const whole = encodeLocFrame({ run: 5, from: 1, fixes: [{ seq: 1, recordedAtMs: 7, lat: 1, lng: 2 }] });
    const within = new Uint8Array(whole.length + 20).fill(0x11);
    within.set(whole, 10);
    t.match(decodeLocFrame(within.subarray(10, 10 + whole.length)), { type: 'loc', run: 5 });
    t.match(decodeLocFrame(within.subarray(10, 9 + whole.length)), { code: 'frame_malformed', detail: 'cut off' });
    t.match(decodeLocFrame(within.subarray(10)), { code: 'frame_malformed', detail: 'bytes after the last fix' });
  });
});
