import type { Glide } from '../vehicles/glide.ts';
import { pixelsPerWorld } from '../vehicles/mercator.ts';

/** A smaller step cannot be seen: symbols are drawn with soft edges, so that they move by fractions of a pixel. */
const stepPixels = 0.05;
/** Ages grow and symbols pale even while nothing moves. */
const idleFrameMs = 1000;

/**
 * How long the next frame may wait: nothing at street level, where vehicles cross pixels quickly, and up to a second over a whole
 * country, where a control room's screen would otherwise draw the same picture sixty times a second for a whole shift.
 */
export function nextFrameInMs(pixelsPerSecond: number): number {
  if (pixelsPerSecond <= 0) return idleFrameMs;
  const waitMs = (stepPixels / pixelsPerSecond) * 1000;
  return waitMs < 1000 / 60 ? 0 : Math.min(idleFrameMs, waitMs);
}

/** Speed of a symbol over the screen; the tip of a turning arrow moves too. */
export function screenSpeed(glide: Glide, input: { nowMs: number; zoom: number; radiusPixels: number }): number {
  if (input.nowMs >= glide.startMs + glide.durationMs) return 0;
  const seconds = glide.durationMs / 1000;
  const across = glide.to.x - glide.from.x;
  const down = glide.to.y - glide.from.y;
  const moved = Math.sqrt(across * across + down * down) * pixelsPerWorld(input.zoom);
  const turned = Math.abs((((glide.toHeadingDegrees ?? 0) - (glide.fromHeadingDegrees ?? 0) + 540) % 360) - 180);
  return Math.max(moved, ((turned * Math.PI) / 180) * input.radiusPixels) / seconds;
}
