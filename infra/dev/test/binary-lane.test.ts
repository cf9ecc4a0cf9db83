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

const anyRide = fc.record({ seed: fc.nat(1e6), everyMs: fc.constantFrom(1000, 2000, 5000, 30_000) });

/** Every frame of ten keeps within the promise, and comes back as what it was. */
const isSmall = (encode: typeof encodeLocFrame) =>
  fc.property(anyRide, (ride) =>
    framesOf(recordRide(ride)).every((frame) => {
      const bytes = encode(frame);
      const decoded = decodeLocFrame(bytes);
      const isThere =
        'type' in decoded &&
        decoded.fixes.every(({ seq, lat, lng, speedMps = 0 }, index) => {
          const fix = frame.fixes[index];
          return (
            fix !== undefined &&
            seq === fix.seq &&
            Math.abs(lat - fix.lat) <= 5.1e-8 &&
            Math.abs(lng - fix.lng) <= 5.1e-8 &&
            Math.abs(speedMps - (fix.speedMps ?? 0)) <= 0.0051
          );
        });
      return isThere && bytes.length <= maxBytesAFix * fixesAFrame;
    }),
  );

t.test('ten fixes of a ride take at most 24 bytes each, with everything around them', async (t) => {
  fc.assert(isSmall(encodeLocFrame), { seed, numRuns: 60 });

  for (const everyMs of [1000, 5000]) {
    const frames = Array.from({ length: 20 }, (_, seed) => framesOf(recordRide({ seed, everyMs }))).flat();
    const bytes = frames.reduce((sum, frame) => sum + encodeLocFrame(frame).length, 0);
    const text = frames.reduce((sum, frame) => sum + JSON.stringify({ type: 'loc', ...frame }).length, 0);
    const perFix = (total: number) => (total / (frames.length * fixesAFrame)).toFixed(1);
    t.comment(`a fix every ${everyMs} ms: ${perFix(bytes)} bytes in binary, ${perFix(text)} in JSON`);
  }
});

t.test('control: without the differences between fixes the promise is broken', async (t) => {
  const apart: typeof encodeLocFrame = ({ fixes, ...frame }) => {
    const parts = fixes.map((fix) => encodeLocFrame({ ...frame, from: fix.seq, fixes: [fix] }));
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    whole.set(encodeLocFrame({ ...frame, fixes }));
    return whole;
  };
  t.ok(fc.check(isSmall(apart), { seed, numRuns: 60 }).failed);
});
