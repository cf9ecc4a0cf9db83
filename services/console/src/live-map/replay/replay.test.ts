import type { TrackFix } from '@hushryd/contracts/http/trips';
import fc from 'fast-check';
import tap from 'tap';
import { shapeTrack } from '../track/track-shape.ts';
import { indexAt, momentAt } from './moment.ts';
import { advance, createReplayClock, extend, replayRates, seek, togglePlaying } from './replay-clock.ts';

const startMs = 1_700_000_000_000;
const fixAt = (seconds: number, more: Partial<TrackFix> = {}): TrackFix => ({
  run: 1,
  seq: seconds + 1,
  recordedAt: new Date(startMs + seconds * 1000).toISOString(),
  lat: 41.15 + seconds * 1e-4,
  lng: -8.61,
  ...more,
});

tap.test('a replay runs at its rate and stops at the end', async (t) => {
  const paused = createReplayClock({ startMs, endMs: startMs + 60_000 });
  const playing = { ...togglePlaying(paused), rate: 10 as const };

  t.equal(advance(paused, 1000), paused, 'nothing moves while paused');
  t.equal(advance(playing, 1000).atMs, startMs + 10_000);
  t.match(advance(playing, 7000), { atMs: startMs + 60_000, isPlaying: false });
});

tap.test('playing from the end starts over', async (t) => {
  const atEnd = createReplayClock({ startMs, endMs: startMs + 1000, atMs: startMs + 1000 });

  t.match(togglePlaying(atEnd), { atMs: startMs, isPlaying: true });
});

tap.test('whatever is asked for, the moment stays within the track', async (t) => {
  const act = fc.oneof(
    fc.integer({ min: -100_000, max: 200_000 }).map((offset) => ({ seek: startMs + offset })),
    fc.integer({ min: -10, max: 5_000 }).map((elapsed) => ({ elapsed })),
    fc.integer({ min: 0, max: 100_000 }).map((grow) => ({ grow })),
    fc.constant({ toggle: true }),
  );
  fc.assert(
    fc.property(fc.array(act), fc.constantFrom(...replayRates), (acts, rate) => {
      let clock = { ...createReplayClock({ startMs, endMs: startMs + 60_000 }), rate };
      for (const one of acts) {
        if ('seek' in one) clock = seek(clock, one.seek);
        else if ('elapsed' in one) clock = advance(clock, one.elapsed);
        else if ('grow' in one) clock = extend(clock, { startMs, endMs: clock.endMs + one.grow });
        else clock = togglePlaying(clock);
        t.ok(clock.atMs >= clock.startMs && clock.atMs <= clock.endMs);
      }
    }),
  );
});

tap.test('between two fixes the vehicle is on the way, in a gap it stands', async (t) => {
  const shape = shapeTrack([fixAt(0), fixAt(1), fixAt(2), fixAt(100), fixAt(101)]);

  const onTheWay = momentAt(shape, startMs + 500);
  const inGap = momentAt(shape, startMs + 50_000);

  const [first, second, third] = shape.points;
  t.ok(onTheWay && first && second && onTheWay.y < first.y && onTheWay.y > second.y);
  t.match(inGap, { index: 2, isInGap: true, x: third?.x, y: third?.y });
  t.match(momentAt(shape, startMs + 500, { isStepwise: true }), { index: 0, y: first?.y });
});

tap.test('outside of the track it is at its ends, and nowhere on an empty one', async (t) => {
  const shape = shapeTrack([fixAt(0), fixAt(1)]);

  t.equal(momentAt(shape, 0)?.index, 0);
  t.equal(momentAt(shape, startMs + 1e9)?.index, 1);
  t.equal(momentAt(shapeTrack([]), startMs), undefined);
});

tap.test('the fix in force is the newest at or before the moment', async (t) => {
  const { points } = shapeTrack([0, 3, 4, 9, 20].map((seconds) => fixAt(seconds)));
  fc.assert(
    fc.property(fc.integer({ min: -5_000, max: 30_000 }), (offset) => {
      const expected = Math.max(
        0,
        points.findLastIndex((point) => point.atMs <= startMs + offset),
      );
      t.equal(indexAt(points, startMs + offset), expected);
    }),
  );
});

tap.test('without a heading from the phone the last real step gives it', async (t) => {
  const shape = shapeTrack([fixAt(0), fixAt(1), fixAt(2, { lat: 41.1501 })]);

  t.ok((momentAt(shape, startMs + 2000)?.headingDegrees ?? 90) < 1);
});
