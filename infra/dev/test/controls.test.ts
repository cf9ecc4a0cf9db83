import t from 'tap';
import { checkRemoval, checkSignOuts } from './end-checks.ts';
import { type Case, checkOrder, checkSecrecy } from './room-checks.ts';
import { startSystem } from './system.ts';

// The checkers of properties.test.ts, asked of realtime nodes with a guard taken out: a checker that finds nothing there proves nothing.

const brokenMain = new URL('../../../services/realtime/test/broken-main.ts', import.meta.url);
const system = await startSystem(t);

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

t.test('a node with its guards passes, also where reads are late', async () => {
  const { url } = await system.startRealtime(brokenMain, { BROKEN_GUARD: 'none' });
  await checkOrder(system, { url, ids: idsOf('order-kept') });
  await secrecyOn(url, 'secret-kept');
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
