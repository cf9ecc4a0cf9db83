import type { Fix } from '@hushryd/contracts/fix';
import { tripTopic } from '@hushryd/contracts/realtime/topics';
import { openPlainSocket, patiently } from './plain-socket.ts';
import { ask, type Case, fixAt, loc, must, mustNeverGoBack, startTrip } from './room-checks.ts';
import type { System } from './system.ts';

// What must hold of fixes on their way to whoever reads or watches. The properties ask it of the nodes that ship, the controls of broken
// ones.

export interface Place {
  lat: number;
  lng: number;
}

export const ways = ['socket', 'http', 'other socket'] as const;

/** Some fixes of one run in one frame, and the way that it takes. */
export interface Delivery {
  first: number;
  count: number;
  over: (typeof ways)[number];
}

/**
 * What is older than half a minute when it comes belongs to no trip that has just begun (access-rules.ts), so that a delayed fix of such
 * a trip is one between this and that.
 */
const liveMaxAgeMs = 20_000;
const delayedMs = 25_000;

/** For a system that is to be checked: how old fixes are judged here, and that drivers are as quick as the checks. */
export const environmentOfChecks = { LIVE_MAX_AGE_MS: String(liveMaxAgeMs), MAX_SPEED_KMH: '1000000000000' };

/**
 * A driver goes along a route, and each place is read over HTTP as soon as it is acknowledged.
 *
 * @param api that is asked
 * @throws Error where something else was read
 */
export async function checkReadable(
  system: System,
  { url, api, route, ids: { driverId } }: { url: string; api: number; route: readonly Place[]; ids: Case },
): Promise<void> {
  const phone = await openPlainSocket(url, system.token(driverId, 'driver'));
  const reader = system.http(driverId, 'driver', api);
  const { run } = await ask(phone, { type: 'hello' }, 'welcome');
  for (const [index, where] of route.entries()) {
    await ask(phone, loc(run, [fixAt(index + 1, where)]), 'recv');
    const { location } = await patiently(() => reader.getDriverLocation(driverId));
    must(location !== null && location.seq === index + 1, () => `seq ${index + 1} acknowledged, ${location?.seq} read`);
    const isSame = Math.abs(location.lat - where.lat) <= 1e-6 && Math.abs(location.lng - where.lng) <= 1e-6;
    must(isSame, () => `${JSON.stringify(where)} sent, ${JSON.stringify(location)} read`);
  }
  await phone.close();
}

/**
 * A driver's frames come in this order, once or more often, over two sockets and HTTP, while an operator watches. Afterwards the track has
 * every fix once, and the position is the newest one that was not delayed.
 *
 * @param system with `environmentOfChecks`
 * @param delayedTo fixes up to this seq were recorded long before they are sent, as after a tunnel: they are history only
 * @param areInTurn each is sent when the one before was acknowledged
 * @throws Error where another state is left, or a position went back
 */
export async function checkSameState(
  system: System,
  {
    urls,
    api,
    deliveries,
    delayedTo,
    areInTurn = false,
    ids,
  }: {
    urls: Record<'driver' | 'watcher', string>;
    api: number;
    deliveries: readonly Delivery[];
    delayedTo: number;
    areInTurn?: boolean;
    ids: Case;
  },
): Promise<void> {
  const { driverId, tripId } = ids;
  await startTrip(system, ids);
  const phone = await openPlainSocket(urls.driver, system.token(driverId, 'driver'));
  const watcher = await openPlainSocket(urls.watcher, system.token(`operator-${tripId}`, 'operator'));
  await ask(watcher, { type: 'sub', topic: tripTopic(tripId) }, 'subscribed');
  const { run } = await ask(phone, { type: 'hello' }, 'welcome');
  const hasOther = deliveries.some(({ over }) => over === 'other socket');
  const other = hasOther ? await openPlainSocket(urls.driver, system.token(driverId, 'driver')) : undefined;
  if (other) await ask(other, { type: 'hello', run, from: 1 }, 'welcome');
  const http = system.http(driverId, 'driver', api);

  const nowMs = Date.now();
  const fixOf = (seq: number): Fix => ({
    seq,
    recordedAtMs: nowMs + seq - (seq <= delayedTo ? delayedMs : 0),
    lat: 41 + seq / 1000,
    lng: -8,
  });
  const seqsOf = ({ first, count }: Delivery) => Array.from({ length: count }, (_, index) => first + index);
  const deliver = (delivery: Delivery): Promise<unknown> => {
    const fixes = seqsOf(delivery).map(fixOf);
    if (delivery.over === 'http') return patiently(() => http.postFixes({ run, from: 1, tripId, fixes }));
    return ask((delivery.over === 'socket' ? phone : other) ?? phone, loc(run, fixes, tripId), 'recv');
  };
  if (areInTurn) for (const delivery of deliveries) await deliver(delivery);
  else await Promise.all(deliveries.map(deliver));

  const seqs = [...new Set(deliveries.flatMap(seqsOf))].sort((a, b) => a - b);
  const newest = seqs.findLast((seq) => seq > delayedTo);
  const { location } = await patiently(() => http.getDriverLocation(driverId));
  must(location?.seq === newest, () => `newest ${newest}, position ${location?.seq}`);
  must(newest === undefined || location?.run === run, () => `run ${run}, position of run ${location?.run}`);
  const track = await patiently(() => system.http('operator', 'operator').getTrack(tripId));
  must(
    String(track.fixes.map(({ seq }) => seq)) === String(seqs) && track.fixes.every((fix) => fix.run === run),
    () => `${seqs} sent, track ${JSON.stringify(track.fixes.map((fix) => [fix.run, fix.seq]))}`,
  );

  if (newest !== undefined) await watcher.waitFor('position', ({ position }) => position.seq === newest);
  else await ask(watcher, { type: 'ping' }, 'pong');
  const seen = watcher.heard('position').map(({ position }) => position);
  mustNeverGoBack(seen);
  must(
    seen.every(({ seq }) => seq > delayedTo),
    () => `up to ${delayedTo} delayed, ${seen.map(({ seq }) => seq)} shown`,
  );
  await Promise.all([phone.close(), other?.close(), watcher.close()]);
}

/**
 * Somebody joins a trip's room while its driver is under way.
 *
 * @param before so many fixes are acknowledged before the member asks, one races with it, `after` come when the room is open
 * @throws Error where the member was shown another place at first, or was not shown one of those that followed
 */
export async function checkEveryMember(
  system: System,
  {
    urls,
    before,
    after,
    isRider,
    ids,
  }: { urls: Record<'driver' | 'member', string>; before: number; after: number; isRider: boolean; ids: Case },
): Promise<void> {
  await startTrip(system, ids);
  const phone = await openPlainSocket(urls.driver, system.token(ids.driverId, 'driver'));
  const { run } = await ask(phone, { type: 'hello' }, 'welcome');
  const sendOne = (seq: number) =>
    ask(phone, loc(run, [fixAt(seq, { lat: 41 + seq / 1000, lng: -8 })], ids.tripId), 'recv');
  for (let seq = 1; seq <= before; seq += 1) await sendOne(seq);

  const token = isRider ? system.token(ids.riderId, 'rider') : system.token(`op-${ids.tripId}`, 'operator');
  const member = await openPlainSocket(urls.member, token);
  // The subscription races with fixes that are on their way.
  const racing = sendOne(before + 1);
  await ask(member, { type: 'sub', topic: tripTopic(ids.tripId) }, 'subscribed');
  await racing;
  const last = before + 1 + after;
  for (let seq = before + 2; seq <= last; seq += 1) await sendOne(seq);

  await member.waitFor('position', ({ position }) => position.seq === last);
  const seen = member.heard('position').map(({ position }) => position.seq);
  const first = seen[0] as number;
  must(first >= before && first <= before + 2, () => `the snapshot is ${first}, ${before} were there before`);
  const contiguous = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  must(String(seen) === String(contiguous), () => `${contiguous} expected, ${seen} received`);
  await Promise.all([phone.close(), member.close()]);
}
