import type { Fix } from '@hushryd/contracts/fix';
import type { LatLng } from '@hushryd/contracts/geo';
import type { Trip } from '@hushryd/contracts/trip';
import type { Identity, Role } from '../auth/claims.ts';
import { createRandom } from './random.ts';

export interface DriveOptions {
  readonly count: number;
  /** Time of the first fix, epoch milliseconds. */
  readonly startMs: number;
  readonly everyMs?: number;
  /** Number of the first fix. */
  readonly seq?: number;
  readonly from?: LatLng;
  /** Cruising speed. Default 12 m/s, a city street. */
  readonly speedMps?: number;
}

/** Values for tests that look like the real thing. The same seed gives the same values in the same order. */
export interface Builders {
  readonly random: () => number;
  /** A whole number from 0 to below `limit`. */
  integer(limit: number): number;
  /** An id that no other test uses: `driver_4k2x…`. */
  id(kind: string): string;
  /** One valid fix in Porto, `over` on top. */
  fix(over?: Partial<Fix>): Fix;
  /** A run of fixes along a bending street, in order, at a speed that acceptance believes. */
  drive(options: DriveOptions): Fix[];
  /** A planned trip of a driver and one passenger, `over` on top. */
  trip(over?: Partial<Trip>): Trip;
  /** Somebody signed in for 15 minutes from `nowMs`. */
  identity(role: Role, nowMs: number, over?: Partial<Identity>): Identity;
}

const porto: LatLng = { lat: 41.15, lng: -8.61 };
const metersPerDegree = 111_320;

export function createBuilders(seed: number): Builders {
  const random = createRandom(seed);
  const integer = (limit: number) => Math.floor(random() * limit);
  const id = (kind: string) => `${kind}_${Array.from({ length: 16 }, () => integer(36).toString(36)).join('')}`;
  const near = (center: LatLng): LatLng => ({
    lat: toMicroDegrees(center.lat + (random() - 0.5) * 0.05),
    lng: toMicroDegrees(center.lng + (random() - 0.5) * 0.05),
  });

  function fix(over: Partial<Fix> = {}): Fix {
    return {
      seq: 1,
      recordedAtMs: Date.UTC(2026, 2, 1, 8),
      ...near(porto),
      accuracyMeters: 3 + integer(10),
      speedMps: integer(20),
      headingDegrees: integer(360),
      batteryPercent: 20 + integer(80),
      ...over,
    };
  }

  function drive({ count, startMs, everyMs = 1000, seq = 1, from = near(porto), speedMps = 12 }: DriveOptions): Fix[] {
    let { lat, lng } = from;
    let headingDegrees = integer(360);
    return Array.from({ length: count }, (_, index) => {
      const step = fix({
        seq: seq + index,
        recordedAtMs: startMs + index * everyMs,
        lat: toMicroDegrees(lat),
        lng: toMicroDegrees(lng),
        speedMps,
        headingDegrees,
      });
      headingDegrees = (headingDegrees + integer(21) + 350) % 360;
      const meters = (speedMps * everyMs) / 1000;
      lat += (meters * Math.cos(toRadians(headingDegrees))) / metersPerDegree;
      lng += (meters * Math.sin(toRadians(headingDegrees))) / (metersPerDegree * Math.cos(toRadians(lat)));
      return step;
    });
  }

  function trip(over: Partial<Trip> = {}): Trip {
    return {
      tripId: id('trip'),
      state: 'planned',
      driverId: id('driver'),
      passengerIds: [id('rider')],
      origin: { ...near(porto), label: 'Rua de Santa Catarina' },
      destination: { ...near(porto), label: 'Foz do Douro' },
      createdAt: '2026-03-01T08:00:00.000Z',
      version: 1,
      ...over,
    };
  }

  function identity(role: Role, nowMs: number, over: Partial<Identity> = {}): Identity {
    return {
      userId: id(role),
      role,
      tokenId: id('token'),
      issuedAtMs: nowMs,
      expiresAtMs: nowMs + 15 * 60_000,
      audience: role === 'operator' ? 'admin' : 'user',
      ...over,
    };
  }

  return { random, integer, id, fix, drive, trip, identity };
}

/** Six decimals, as phones send them: 11 cm. */
function toMicroDegrees(degrees: number): number {
  return Math.round(degrees * 1e6) / 1e6;
}

function toRadians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
