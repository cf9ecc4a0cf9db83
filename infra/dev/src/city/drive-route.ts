import { cruisingMps, type Route } from './find-route.ts';
import type { City } from './generate-city.ts';
import { distanceBetween, type Point } from './polyline.ts';
import { isGreen, type TrafficLight } from './traffic-lights.ts';

const accelerationMps2 = 1.7;
const brakingMps2 = 2.2;
/** Sideways acceleration that passengers find pleasant: it bounds the speed in a bend. */
const sidewaysMps2 = 1.9;
/** One step of the simulation: at 20 m/s ten metres, a third of a crossing. */
const stepMs = 500;
const lookAheadMeters = 160;
const stopLineMeters = 8;
const creepMps = 0.6;

/** Where a driving car is. `direction` in radians on the plane. */
export interface Motion {
  readonly point: Point;
  readonly direction: number;
  readonly speedMps: number;
  readonly hasArrived: boolean;
}

/** A car on its way along one route. It owns its place and speed; time comes from outside. */
export interface Drive {
  /** Move the car to the moment given (not before the last one) and say where it is. */
  advanceTo(nowMs: number): Motion;
}

/** Something ahead that limits the speed there; a light only while it is red. */
interface Limit {
  readonly atMeters: number;
  readonly maxMps: number;
  readonly light?: { readonly light: TrafficLight; readonly direction: number };
}

interface Piece {
  readonly fromMeters: number;
  readonly toMeters: number;
  readonly from: Point;
  readonly to: Point;
  readonly maxMps: number;
}

/**
 * Drive a route as a person would: speed by street, slower into bends, to a stop at red lights and at the end. Deterministic.
 *
 * @param input.pace share of the usual speed that this driver drives
 */
export function createDrive(input: { city: City; route: Route; startMs: number; pace: number }): Drive {
  const { pieces, limits } = unroll(input.city, input.route, input.pace);
  const endMeters = pieces.at(-1)?.toMeters ?? 0;
  let clockMs = input.startMs;
  let meters = 0;
  let speedMps = 0;
  let pieceIndex = 0;
  let limitIndex = 0;

  // The last piece holds the end itself.
  const followPieces = () => {
    while (pieceIndex < pieces.length - 1 && (pieces[pieceIndex]?.toMeters ?? 0) <= meters) pieceIndex += 1;
  };
  const step = (dtMs: number) => {
    followPieces();
    while ((limits[limitIndex]?.atMeters ?? Number.POSITIVE_INFINITY) < meters) limitIndex += 1;
    const cruising = pieces[pieceIndex]?.maxMps ?? 0;
    const allowed = allowedSpeed({ limits, limitIndex, meters, speedMps, nowMs: clockMs, cruising });
    const seconds = dtMs / 1000;
    const wanted = Math.min(allowed, speedMps + accelerationMps2 * seconds);
    speedMps = Math.max(wanted, speedMps - 2 * brakingMps2 * seconds, 0);
    // Creep, so that rounding never leaves a car a metre before its goal.
    if (endMeters - meters < 3 && speedMps < creepMps) speedMps = creepMps;
    meters = Math.min(endMeters, meters + speedMps * seconds);
    if (meters >= endMeters) speedMps = 0;
    clockMs += dtMs;
  };

  return {
    advanceTo: (nowMs) => {
      while (clockMs < nowMs) step(Math.min(stepMs, nowMs - clockMs));
      followPieces();
      return { ...placeOn(pieces[pieceIndex], meters), speedMps, hasArrived: meters >= endMeters };
    },
  };
}

/** The highest speed from which everything ahead can still be met at its own limit. */
function allowedSpeed(input: {
  limits: readonly Limit[];
  limitIndex: number;
  meters: number;
  speedMps: number;
  nowMs: number;
  cruising: number;
}): number {
  const { limits, meters, speedMps, nowMs } = input;
  let allowed = input.cruising;
  for (let index = input.limitIndex; index < limits.length; index += 1) {
    const limit = limits[index];
    if (!limit || limit.atMeters - meters > lookAheadMeters) break;
    const distance = limit.atMeters - meters;
    if (limit.light) {
      if (isGreen(limit.light.light, limit.light.direction, nowMs)) continue;
      // Too close to stop in comfort: it was amber a moment ago, so go.
      if (distance < speedMps ** 2 / (4 * brakingMps2)) continue;
    }
    allowed = Math.min(allowed, Math.sqrt(limit.maxMps ** 2 + 2 * brakingMps2 * Math.max(0, distance - 1)));
  }
  return allowed;
}

function placeOn(piece: Piece | undefined, meters: number): { point: Point; direction: number } {
  if (!piece) return { point: { x: 0, y: 0 }, direction: 0 };
  const share = Math.min(1, (meters - piece.fromMeters) / (piece.toMeters - piece.fromMeters));
  return {
    point: {
      x: piece.from.x + (piece.to.x - piece.from.x) * share,
      y: piece.from.y + (piece.to.y - piece.from.y) * share,
    },
    direction: directionOf(piece),
  };
}

/** The route as one line of straight pieces, with what slows a car down on it. */
function unroll(city: City, route: Route, pace: number): { pieces: Piece[]; limits: Limit[] } {
  const pieces: Piece[] = [];
  const limits: Limit[] = [];
  let meters = 0;
  for (const leg of route.legs) {
    for (const [index, to] of leg.line.entries()) {
      const from = leg.line[index - 1];
      const length = from ? distanceBetween(from, to) : 0;
      if (!from || length < 0.01) continue;
      const piece = { from, to, fromMeters: meters, toMeters: meters + length, maxMps: cruisingMps[leg.class] * pace };
      const before = pieces.at(-1);
      if (before) limits.push({ atMeters: meters, maxMps: bendSpeed(before, piece) * pace });
      pieces.push(piece);
      meters += length;
    }
    const light = city.lights.get(leg.toJunction);
    const last = pieces.at(-1);
    if (light && last && leg !== route.legs.at(-1)) {
      const atMeters = Math.max(last.fromMeters, meters - stopLineMeters);
      limits.push({ atMeters, maxMps: 0, light: { light, direction: directionOf(last) } });
    }
  }
  limits.push({ atMeters: meters, maxMps: 0 });
  return { pieces, limits: limits.sort((a, b) => a.atMeters - b.atMeters) };
}

/** From the radius that a car's track has when it cuts the corner a little: a right angle is taken at about 18 km/h. */
function bendSpeed(before: Piece, after: Piece): number {
  const turn = Math.abs(
    Math.atan2(Math.sin(directionOf(after) - directionOf(before)), Math.cos(directionOf(after) - directionOf(before))),
  );
  if (turn < 0.06) return Number.POSITIVE_INFINITY;
  const radiusMeters = 9 / Math.tan(Math.min(turn, 3) / 2);
  return Math.max(2.5, Math.sqrt(sidewaysMps2 * radiusMeters) * 1.2);
}

function directionOf(piece: Piece): number {
  return Math.atan2(piece.to.y - piece.from.y, piece.to.x - piece.from.x);
}
