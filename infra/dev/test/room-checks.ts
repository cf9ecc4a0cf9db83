import type { Fix, Position } from '@hushryd/contracts/fix';
import type { ClientFrame } from '@hushryd/contracts/realtime/client-frames';
import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import { tripTopic } from '@hushryd/contracts/realtime/topics';
import { compareFixes, nameOf } from './heard.ts';
import { openPlainSocket, type PlainSocket, patiently } from './plain-socket.ts';
import type { System } from './system.ts';

// What must hold of a trip's room on any node. The properties ask it of the nodes that ship, the controls of broken ones.

/** Ids that belong to one case alone. */
export interface Case {
  driverId: string;
  riderId: string;
  tripId: string;
}

export const intruders = ['rider of another trip', 'another driver', 'removed passenger'] as const;

const place = { lat: 41.15, lng: -8.61 };

export function must(condition: boolean, what: () => string): asserts condition {
  if (!condition) throw new Error(what());
}

export const ask = <Type extends ServerFrame['type']>(socket: PlainSocket, frame: ClientFrame, answer: Type) =>
  patiently(() => socket.request(frame, answer));

export const loc = (run: number, fixes: Fix[], tripId?: string) =>
  ({ type: 'loc', run, from: 1, fixes, ...(tripId !== undefined && { tripId }) }) as const;

/** A millisecond apart at least: no speed is known of two fixes of the same moment. */
export const fixAt = (seq: number, where: { lat: number; lng: number }): Fix => ({
  seq,
  recordedAtMs: Date.now() + seq,
  ...where,
});

export async function startTrip(system: System, { tripId, driverId, riderId }: Case, passengerIds = [riderId]) {
  const operator = system.http('operator', 'operator');
  await patiently(() => operator.createTrip({ tripId, driverId, passengerIds, origin: place, destination: place }));
  await patiently(() => operator.startTrip(tripId));
}

/** @throws Error where one socket was shown a position that is not after the one before */
export function mustNeverGoBack(seen: readonly Position[]): void {
  const isBack = seen.some((position, at) => at > 0 && compareFixes(position, seen[at - 1] as Position) <= 0);
  must(!isBack, () => `a position went back: ${seen.map(nameOf)}`);
}

/**
 * Somebody watches while others come, whose subscriptions make the node read the driver's position, and the driver goes on meanwhile.
 *
 * @throws Error where a position went back
 */
export async function checkOrder(system: System, { url, ids }: { url: string; ids: Case }): Promise<void> {
  await startTrip(system, ids);
  const topic = tripTopic(ids.tripId);
  const phone = await openPlainSocket(url, system.token(ids.driverId, 'driver'));
  const watcher = await openPlainSocket(url, system.token(ids.riderId, 'rider'));
  const late = await openPlainSocket(url, system.token(`late-${ids.tripId}`, 'operator'));
  const { run } = await ask(phone, { type: 'hello' }, 'welcome');
  const move = (seq: number) => ask(phone, loc(run, [fixAt(seq, place)], ids.tripId), 'recv');
  await ask(watcher, { type: 'sub', topic }, 'subscribed');
  await move(1);
  await watcher.waitFor('position', ({ position }) => position.seq === 1);
  const joined = ask(late, { type: 'sub', topic }, 'subscribed');
  for (const seq of [2, 3]) await move(seq);
  await joined;
  await move(4);
  await watcher.waitFor('position', ({ position }) => position.seq === 4);
  mustNeverGoBack(watcher.heard('position').map(({ position }) => position));
  await Promise.all([phone.close(), watcher.close(), late.close()]);
}

/**
 * Somebody who may not see a trip, or no longer may, asks for its room while its driver moves.
 *
 * @param urls of the nodes where the driver, the rider and the stranger are
 * @throws Error where the stranger was let in or heard anything
 */
export async function checkSecrecy(
  system: System,
  { urls, who, ids }: { urls: Record<'driver' | 'rider' | 'stranger', string>; who: string; ids: Case },
): Promise<void> {
  const operator = system.http('operator', 'operator');
  const strangerId = `stranger-${ids.tripId}`;
  await startTrip(system, ids, who === 'removed passenger' ? [ids.riderId, strangerId] : [ids.riderId]);
  const phone = await openPlainSocket(urls.driver, system.token(ids.driverId, 'driver'));
  const { run } = await ask(phone, { type: 'hello' }, 'welcome');
  const rider = await openPlainSocket(urls.rider, system.token(ids.riderId, 'rider'));
  const strangersRole = who === 'another driver' ? 'driver' : 'rider';
  const stranger = await openPlainSocket(urls.stranger, system.token(strangerId, strangersRole));
  const topic = tripTopic(ids.tripId);
  await ask(rider, { type: 'sub', topic }, 'subscribed');

  let heardBefore = 0;
  if (who === 'removed passenger') {
    await ask(stranger, { type: 'sub', topic }, 'subscribed');
    await patiently(() => operator.putPassengers(ids.tripId, [ids.riderId]));
    await stranger.waitFor('unsubscribed', (frame) => frame.topic === topic);
    heardBefore = stranger.frames.length;
  }
  const refusal = await ask(stranger, { type: 'sub', topic }, 'subscribed').then(
    () => 'subscribed',
    (error: { code?: string }) => error.code,
  );

  for (const seq of [1, 2]) await ask(phone, loc(run, [fixAt(seq, place)], ids.tripId), 'recv');
  await rider.waitFor('position', ({ position }) => position.seq === 2);
  await ask(stranger, { type: 'ping' }, 'pong');
  const leaked = stranger.frames
    .slice(heardBefore)
    .filter((frame) => frame.type === 'position' || frame.type === 'event');
  must(leaked.length === 0, () => `${who} heard ${JSON.stringify(leaked)}`);
  must(refusal === 'not_found', () => `${who}: ${refusal}`);
  const read = await patiently(() => system.http(strangerId, 'rider').getTripLocation(ids.tripId)).then(
    () => 'read',
    (error: { code?: string }) => error.code,
  );
  must(read === 'not_found', () => `${who} over HTTP: ${read}`);
  await Promise.all([phone.close(), rider.close(), stranger.close()]);
}
