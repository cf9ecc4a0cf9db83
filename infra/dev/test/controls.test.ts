import { tripTopic } from '@hushryd/contracts/realtime/topics';
import t from 'tap';
import { checkRemoval, checkSignOuts } from './end-checks.ts';
import { checkEveryMember, checkReadable, checkSameState, type Delivery, environmentOfChecks } from './fix-checks.ts';
import { openPlainSocket } from './plain-socket.ts';
import { checkRoom, followPublished } from './published-positions.ts';
import { ask, type Case, checkOrder, checkSecrecy, fixAt, loc, startTrip } from './room-checks.ts';
import { type SystemService, startSystem } from './system.ts';

// The checkers of properties.test.ts and replay.test.ts, asked of realtime nodes with a guard taken out: a checker that finds nothing there proves nothing.

const brokenMain = new URL('../../../services/realtime/test/broken-main.ts', import.meta.url);
const leakyMain = new URL('../../../services/realtime/test/leaky-main.ts', import.meta.url);
const system = await startSystem(t, { env: environmentOfChecks });

const idsOf = (name: string): Case => ({
  driverId: `driver-${name}`,
  riderId: `rider-${name}`,
  tripId: `trip-${name}`,
});
const secrecyOn = (url: string, name: string) =>
  checkSecrecy(system, {
    urls: { driver: url, rider: url, stranger: url },
    who: 'rider of another trip',
    ids: idsOf(name),
  });

const readableOn = (url: string, name: string) =>
  checkReadable(system, { url, api: 0, route: [{ lat: 41, lng: -8 }], ids: idsOf(name) });
const sameStateOn = (url: string, name: string) => {
  const deliveries: Delivery[] = [
    { first: 4, count: 2, over: 'socket' },
    // This one knows nothing of what the other has sent: only what is stored says that it is late.
    { first: 1, count: 3, over: 'other socket' },
  ];
  const urls = { driver: url, watcher: url };
  return checkSameState(system, { urls, api: 0, deliveries, delayedTo: 0, areInTurn: true, ids: idsOf(name) });
};
const everyMemberOn = (url: string, name: string) =>
  checkEveryMember(system, {
    urls: { driver: url, member: url },
    before: 0,
    after: 4,
    isRider: true,
    ids: idsOf(name),
  });

t.test('a node with its guards passes, also where reads are late', async () => {
  const { url } = await system.startRealtime(brokenMain, { BROKEN_GUARD: 'none' });
  await checkOrder(system, { url, ids: idsOf('order-kept') });
  await secrecyOn(url, 'secret-kept');
  await readableOn(url, 'readable');
  await sameStateOn(url, 'same-state');
});

t.test('a node that acknowledges before Redis has it is found out', async (t) => {
  const { url } = await system.startRealtime(brokenMain, { BROKEN_GUARD: 'stored before received' });
  await t.rejects(readableOn(url, 'too-early'), /seq 1 acknowledged, undefined read/);
});

t.test('a node that stores what comes last as the newest is found out', async (t) => {
  const { url } = await system.startRealtime(brokenMain, { BROKEN_GUARD: 'stored order' });
  await t.rejects(sameStateOn(url, 'another-state'), /newest 5, position 3/);
});

t.test('a node that leaves out one position is found out, one that does not passes', async (t) => {
  const leaky = await system.startRealtime(leakyMain, { LEAK: 'one position' });
  const whole = (system.realtimes[0] as SystemService).url;
  await t.rejects(everyMemberOn(leaky.url, 'one-missing'), /1,2,3,4,5 expected, .* received/);
  await everyMemberOn(whole, 'none-missing');

  const published = await followPublished(t, system);
  const unseen = await driveBefore(leaky.url, 'one-unseen');
  t.throws(() => checkRoom(published, unseen), /published of .* received/);
  checkRoom(published, await driveBefore(whole, 'all-seen'));
});

t.test('a node that does not look at run and seq is found out', async (t) => {
  const { url } = await system.startRealtime(brokenMain, { BROKEN_GUARD: 'order' });
  await t.rejects(checkOrder(system, { url, ids: idsOf('order-broken') }), /a position went back/);
});

t.test('a node that lets everybody watch is found out', async (t) => {
  const { url } = await system.startRealtime(brokenMain, { BROKEN_GUARD: 'access' });
  await t.rejects(secrecyOn(url, 'secret-broken'), /rider of another trip heard/);
});

t.test('a node that says it is over and speaks on is found out', async (t) => {
  const { url } = await system.startRealtime(brokenMain, { BROKEN_GUARD: 'leaving' });
  const urls = { driver: url, stays: url, leaves: url };
  await t.rejects(checkRemoval(system, { urls, ids: idsOf('left') }), /frames after the end/);
});

t.test('a node that keeps the sockets of those who were signed out is found out', async (t) => {
  const { url } = await system.startRealtime(brokenMain, { BROKEN_GUARD: 'ended sessions' });
  await t.rejects(checkSignOuts(system, { urls: [url], ids: idsOf('kept') }), /the end of all sockets/);
});

/** A drive of four positions, as a passenger sees it who was there from the beginning. */
async function driveBefore(url: string, name: string) {
  const ids = idsOf(name);
  await startTrip(system, ids);
  const phone = await openPlainSocket(url, system.token(ids.driverId, 'driver'));
  const passenger = await openPlainSocket(url, system.token(ids.riderId, 'rider'));
  await ask(passenger, { type: 'sub', topic: tripTopic(ids.tripId) }, 'subscribed');
  const { run } = await ask(phone, { type: 'hello' }, 'welcome');
  for (const seq of [1, 2, 3, 4]) await ask(phone, loc(run, [fixAt(seq, { lat: 41, lng: -8 })], ids.tripId), 'recv');
  await passenger.waitFor('position', ({ position }) => position.seq === 4);
  await Promise.all([phone.close(), passenger.close()]);
  return { tripId: ids.tripId, heard: passenger.heard('position').map(({ position }) => position) };
}
