import type { AcceptedFix } from '@hushryd/tracking/accept-fix';

/** Names and places that every process of a run makes alike from a number, so that none need be sent around. All are equally long. */
export const driverId = (index: number): string => `driver-${digits(index)}`;
export const tripId = (index: number): string => `trip-${digits(index)}`;
export const riderId = (index: number): string => `rider-${digits(index)}`;

const digits = (index: number): string => String(index).padStart(6, '0');

/** Where the vehicles are: a city of 40 × 40 km around Porto, four in ten within 6 km of its middle. */
const center = { lat: 41.15, lng: -8.61 };
const halfWidthKm = 20;
const kmPerLat = 111.2;
const kmPerLng = kmPerLat * Math.cos((center.lat * Math.PI) / 180);

export interface Place {
  readonly lat: number;
  readonly lng: number;
}

/** The same seed gives the same places. Coordinates have six decimals, as phones send them. */
export function createPlaces(seed: number): () => Place {
  const random = createRandom(seed);
  return () => {
    const spreadKm = random() < 0.4 ? 6 : halfWidthKm;
    return {
      lat: microDegrees(center.lat + ((random() * 2 - 1) * spreadKm) / kmPerLat),
      lng: microDegrees(center.lng + ((random() * 2 - 1) * spreadKm) / kmPerLng),
    };
  };
}

/** A fix as an ordinary phone gives it, accepted. */
export function fixAt(place: Place, { seq, recordedAtMs }: { seq: number; recordedAtMs: number }): AcceptedFix {
  return {
    seq,
    recordedAtMs,
    ...place,
    accuracyMeters: 5,
    speedMps: 12.4,
    headingDegrees: 271.5,
    batteryPercent: 80,
    live: true,
  };
}

const microDegrees = (degrees: number): number => Math.round(degrees * 1e6) / 1e6;

/** mulberry32: small, fast, good enough to scatter vehicles. */
function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
