import type { Role } from '@hushryd/platform/auth/claims';
import type { System } from './system.ts';
import type { Journey } from './traffic.ts';

export interface Question {
  readonly as: { readonly userId: string; readonly role: Role };
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | null>;
  readonly body: string;
  readonly tookMs: number;
}

const operator = { userId: 'operator', role: 'operator' } as const;
const comparedHeaders = ['content-type', 'cache-control', 'etag', 'content-disposition', 'retry-after'];

/** Everything that can be read about a trip, by everybody who may ask, and by one who may not. */
export function readingQuestions({ tripId, driverId, passengerId, view }: Journey): Question[] {
  const driver = { userId: driverId, role: 'driver' } as const;
  const passenger = { userId: passengerId, role: 'rider' } as const;
  const stranger = { userId: 'stranger', role: 'rider' } as const;
  const near = `lat=${view.position?.lat ?? 41}&lng=${view.position?.lng ?? -8.6}`;
  return [
    ...[operator, driver, passenger, stranger].flatMap((as) => [
      { as, path: `/v1/trips/${tripId}` },
      { as, path: `/v1/trips/${tripId}/location` },
      { as, path: `/v1/trips/${tripId}/track?limit=20` },
      { as, path: `/v1/drivers/nearby?${near}` },
    ]),
    ...['geojson', 'gpx', 'csv'].map((format) => ({
      as: operator,
      path: `/v1/trips/${tripId}/track?format=${format}`,
    })),
    { as: operator, path: `/v1/trips/nearby?${near}&radiusMeters=20000` },
    { as: operator, path: `/v1/drivers/nearby?${near}&radiusMeters=20000` },
    { as: operator, path: `/v1/drivers/${driverId}/location` },
    { as: driver, path: `/v1/drivers/${driverId}/location` },
    { as: operator, path: '/v1/trips?limit=3' },
    { as: operator, path: `/v1/trips?q=${tripId}&state=active` },
    { as: operator, path: '/v1/map/roads?bbox=-9,40,-8,42' },
    { as: passenger, path: '/v1/trips' },
  ];
}

/** What changes something, and what waits. */
export function otherQuestions({ tripId, driverId, passengerId }: Journey, run: number): Question[] {
  const driver = { userId: driverId, role: 'driver' } as const;
  const place = { lat: 41, lng: -8 };
  return [
    { as: operator, path: `/v1/trips/${tripId}/location?waitSeconds=20` },
    { as: { userId: 'asker', role: 'rider' }, method: 'POST', path: '/v1/realtime/tickets', body: {} },
    { as: { userId: 'asker', role: 'driver' }, method: 'POST', path: '/v1/drivers/me/runs', body: {} },
    { as: driver, method: 'POST', path: '/v1/drivers/me/fixes', body: { run, from: 1, fixes: [] } },
    { as: driver, method: 'PUT', path: '/v1/drivers/me/availability', body: { available: true } },
    { as: operator, method: 'PUT', path: `/v1/trips/${tripId}/passengers`, body: { passengerIds: [passengerId] } },
    {
      as: operator,
      method: 'POST',
      path: '/v1/trips',
      body: { driverId: 'asker', passengerIds: [], origin: place, destination: place },
    },
  ];
}

/** Asks one API process, with a correlation id that is the same for all. */
export async function ask(
  system: System,
  api: number,
  { as, method = 'GET', path, body }: Question,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const startedAtMs = performance.now();
  const response = await fetch(`${system.apis[api]?.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${system.token(as.userId, as.role)}`,
      'x-request-id': 'the-same-request',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: Object.fromEntries(comparedHeaders.map((name) => [name, response.headers.get(name)])),
    body: text,
    tookMs: performance.now() - startedAtMs,
  };
}

/** Without what depends on the moment of asking. */
export function timeless({ status, headers, body }: Answer) {
  return {
    status,
    headers,
    body: body.replaceAll(/"asOf":"[^"]*"/g, '"asOf":"…"').replaceAll(/"ageSeconds":[\d.]+/g, '"ageSeconds":…'),
  };
}

export const describeQuestion = ({ as, method = 'GET', path }: Question): string =>
  `${method} ${path} as ${as.role} ${as.userId}`;
