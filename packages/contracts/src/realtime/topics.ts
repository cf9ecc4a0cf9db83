const idPattern = /^[A-Za-z0-9_-]{1,64}$/;

/** What a socket can subscribe to, taken apart. */
export type Topic =
  | { kind: 'trip'; tripId: string }
  | { kind: 'driver'; driverId: string }
  | { kind: 'user'; userId: string }
  | { kind: 'nearby'; cell: string }
  | { kind: 'sos'; alertId: string }
  | { kind: 'admin:map' }
  | { kind: 'admin:sos' };

/** Take a topic's name apart; undefined where it names nothing we know. Names: `trip:{id}`, `driver:{id}`, `user:{id}`, `nearby:{cell}`, `sos:{id}`, `admin:map`, `admin:sos`. */
export function parseTopic(name: string): Topic | undefined {
  if (name === adminMapTopic || name === adminSosTopic) return { kind: name };
  const colon = name.indexOf(':');
  const id = name.slice(colon + 1);
  if (colon < 0 || !idPattern.test(id)) return undefined;
  const kind = name.slice(0, colon);
  if (kind === 'trip') return { kind, tripId: id };
  if (kind === 'driver') return { kind, driverId: id };
  if (kind === 'user') return { kind, userId: id };
  if (kind === 'nearby') return { kind, cell: id };
  if (kind === 'sos') return { kind, alertId: id };
  return undefined;
}

export const tripTopic = (tripId: string): string => `trip:${tripId}`;
export const driverTopic = (driverId: string): string => `driver:${driverId}`;
export const userTopic = (userId: string): string => `user:${userId}`;
/** @param cell an H3 cell, as the API names it */
export const nearbyTopic = (cell: string): string => `nearby:${cell}`;
export const sosTopic = (alertId: string): string => `sos:${alertId}`;
export const adminMapTopic = 'admin:map';
export const adminSosTopic = 'admin:sos';
