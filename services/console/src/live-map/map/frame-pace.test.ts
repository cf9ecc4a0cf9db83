import tap from 'tap';
import { standAt } from '../vehicles/glide.ts';
import { toWorld } from '../vehicles/mercator.ts';
import { nextFrameInMs, screenSpeed } from './frame-pace.ts';

const from = toWorld(41.15, -8.61);
const glide = { ...standAt(toWorld(41.1501, -8.61), 0, 0), from, durationMs: 1000 };
const at = (zoom: number, nowMs = 0) => ({ nowMs, zoom, radiusPixels: 10 });

tap.test('a city is drawn at full rate, a country when it has visibly changed', async (t) => {
  t.equal(nextFrameInMs(screenSpeed(glide, at(15))), 0);
  t.ok(nextFrameInMs(screenSpeed(glide, at(6))) > 500);
  t.equal(nextFrameInMs(0), 1000, 'standing vehicles still grow older');
});

tap.test('a glide that is over needs no frames', async (t) => {
  t.equal(screenSpeed(glide, at(15, 1000)), 0);
});

tap.test('turning on the spot is movement', async (t) => {
  const turning = { ...standAt(from, 0, 0), fromHeadingDegrees: 350, toHeadingDegrees: 20, durationMs: 1000 };

  const speed = screenSpeed(turning, at(12));

  t.ok(Math.abs(speed - (Math.PI / 6) * 10) < 1e-9);
});
