import type { Fix } from '@hushryd/contracts/fix';
import { decodeLocFrame, encodeLocFrame } from '@hushryd/contracts/realtime/binary/loc-frame';
import fc from 'fast-check';
import t from 'tap';
import { createDrive } from '../src/city/drive-route.ts';
import { generateCity } from '../src/city/generate-city.ts';
import { createGpsNoise } from '../src/city/gps-noise.ts';
import { createRandom } from '../src/city/random.ts';
import { createRidePlanner } from '../src/fleet/ride-planner.ts';

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
t.comment(`fast-check seed ${seed}; SEED=${seed} repeats it`);

const city = generateCity(1);
const startMs = Date.UTC(2026, 2, 1, 8);
const fixesAFrame = 10;
const maxBytesAFix = 24;

/** A ride through the city as its driver's phone records it: with all the digits that a phone gives, and a receiver that errs. */
function recordRide({ seed, everyMs }: { seed: number; everyMs: number }): Fix[] {
  const random = createRandom(seed);
  const planner = createRidePlanner(city, random);
  const noise = createGpsNoise(random);
  const drive = createDrive({ city, route: planner.ride(planner.someJunction()), startMs, pace: 1 });
  const fixes: Fix[] = [];
  for (let seq = 1, hasArrived = false; !hasArrived; seq += 1) {
    const recordedAtMs = startMs + seq * everyMs + Math.round(random.between(-40, 40));
    const motion = drive.advanceTo(startMs + seq * everyMs);
    const { point, accuracyMeters } = noise.blur(motion.point, recordedAtMs);
    const headingDegrees = (90 - (motion.direction * 180) / Math.PI + 360) % 360;
    const batteryPercent = Math.max(1, 90 - Math.floor(seq / 60));
    const { speedMps } = motion;
    fixes.push({
      seq,
      recordedAtMs,
      ...city.plane.toLatLng(point),
      accuracyMeters,
      speedMps,
      headingDegrees,
      batteryPercent,
    });
    hasArrived = motion.hasArrived;
  }
  return fixes;
}

const framesOf = (fixes: Fix[]) =>
  Array.from({ length: Math.floor(fixes.length / fixesAFrame) }, (_, index) => {
    const part = fixes.slice(index * fixesAFrame, (index + 1) * fixesAFrame);
    return {
      id: index + 1,
      run: startMs - 4711,
      from: part[0]?.seq ?? 1,
      tripId: 'Vx5hZ7m2QdK9sLw4RtYb0A',
      fixes: part,
    };
  });

type Frame = ReturnType<typeof framesOf>[number];

const anyRide = fc.record({ seed: fc.nat(1e6), everyMs: fc.constantFrom(1000, 2000, 5000, 30_000) });

type Encode = typeof encodeLocFrame;

const everyFrame = (holds: (frame: Frame) => boolean) =>
  fc.property(anyRide, (ride) => framesOf(recordRide(ride)).every(holds));

const isSmall = (encode: Encode) => everyFrame((frame) => encode(frame).length <= maxBytesAFix * fixesAFrame);

/** What comes out is what went in, to half a unit of the wire. */
const comesBack = (encode: Encode) =>
  everyFrame((frame) => {
    const decoded = decodeLocFrame(encode(frame));
    return (
      'type' in decoded &&
      decoded.fixes.length === frame.fixes.length &&
      decoded.fixes.every(({ seq, recordedAtMs, lat, lng, speedMps = 0 }, index) => {
        const fix = frame.fixes[index] as Fix;
        return (
          seq === fix.seq &&
          recordedAtMs === fix.recordedAtMs &&
          Math.abs(lat - fix.lat) <= 5.1e-8 &&
          Math.abs(lng - fix.lng) <= 5.1e-8 &&
          Math.abs(speedMps - (fix.speedMps ?? 0)) <= 0.0051
        );
      })
    );
  });

/** As long as a frame is that has all of every fix in it, instead of its difference to the one before; it cannot be read. */
const wholeFixes: Encode = (frame) => {
  const length = (fixes: Fix[], from = frame.from) => encodeLocFrame({ ...frame, from, fixes }).length;
  const bytes = frame.fixes.map((fix) => length([fix], fix.seq) - length([], fix.seq));
  return new Uint8Array(bytes.reduce((sum, each) => sum + each, length([])));
};

/** A centimetre too far to the north. */
const imprecise: Encode = ({ fixes, ...frame }) =>
  encodeLocFrame({ ...frame, fixes: fixes.map((fix) => ({ ...fix, lat: fix.lat + 1e-7 })) });

const runs = { seed, numRuns: 60 };

t.test('ten fixes of a ride take at most 24 bytes each, with everything around them', async (t) => {
  fc.assert(isSmall(encodeLocFrame), runs);

  for (const everyMs of [1000, 5000]) {
    const frames = Array.from({ length: 20 }, (_, seed) => framesOf(recordRide({ seed, everyMs }))).flat();
    const text = frames.reduce((sum, frame) => sum + JSON.stringify({ type: 'loc', ...frame }).length, 0);
    const binary = (encode: Encode) => frames.reduce((sum, frame) => sum + encode(frame).length, 0);
    const [all, apart, json] = [binary(encodeLocFrame), binary(wholeFixes), text].map((total) =>
      (total / (frames.length * fixesAFrame)).toFixed(1),
    );
    t.comment(
      `a fix every ${everyMs} ms: ${all} bytes in binary, ${apart} with the whole of every fix, ${json} in JSON`,
    );
  }
});

t.test('and come back as what they were', async () => {
  fc.assert(comesBack(encodeLocFrame), runs);
});

t.test('control: with the whole of every fix a frame is too long', async (t) => {
  t.ok(fc.check(isSmall(wholeFixes), runs).failed);
});

t.test('control: what is not quite the same is found out', async (t) => {
  t.ok(fc.check(comesBack(imprecise), runs).failed);
});
