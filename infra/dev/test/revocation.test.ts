import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import type { Role } from '@hushryd/platform/auth/claims';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createConsoleClient } from '@hushryd/sdk/console-client';
import { createRiderClient, type RiderClient } from '@hushryd/sdk/rider-client';
import t, { type Test } from 'tap';
import { checkRemoval, checkSignOuts } from './end-checks.ts';
import type { Case } from './room-checks.ts';
import { type System, startSystem, startSystemOnOwnEngines } from './system.ts';

// F30: sign-out, another role, a passenger taken off a trip and the end of a trip, felt on live sockets of every node.

/** The bound; what is measured stands in the log. */
const within = { withinMs: 5000 };
const connected = { withinMs: 30_000 };

async function connect(t: Test, system: System, userId: string, role: Role, node: number): Promise<RiderClient> {
  const client = createConsoleClient(system.connectionOptions(userId, role, node));
  t.teardown(() => client.close());
  await client.connect();
  return client;
}

const idsOf = (name: string): Case => ({
  driverId: `driver-${name}`,
  riderId: `rider-${name}`,
  tripId: `trip-${name}`,
});

const urlsOf = (system: System) => system.realtimes.map(({ url }) => url) as [string, string];

const endOf = (client: RiderClient) => (client.state.name === 'closed' ? client.state : undefined);

async function post(
  system: System,
  as: { userId: string; role: Role; token?: string },
  path: string,
  body = {},
): Promise<number> {
  const reply = await fetch(`${system.apis[0]?.url}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${as.token ?? system.token(as.userId, as.role)}`,
    },
    body: JSON.stringify(body),
  });
  await reply.body?.cancel();
  return reply.status;
}

const system = await startSystem(t, { realtimes: 2 });
const [here, there] = urlsOf(system);

t.test('sessions that are ended over HTTP end on every node, and nothing is answered to their tokens', async (t) => {
  const operator = { userId: 'olga', role: 'operator' } as const;

  const sockets = [await connect(t, system, 'rita', 'rider', 0), await connect(t, system, 'rita', 'rider', 1)];
  const token = system.token('rita', 'rider');
  t.equal(await post(system, operator, '/v1/users/rita/sign-out', { reason: 'banned' }), 204);
  for (const socket of sockets) {
    const { code } = await waitFor(() => endOf(socket), { ...within, what: "the end of rita's sockets" });
    t.equal(code, closeCodes.sessionEnded);
  }
  t.equal(await post(system, { userId: 'rita', role: 'rider', token }, '/v1/realtime/tickets'), 401);

  // One session of two: by its own token.
  const own = system.token('rosa', 'rider');
  const signedOut = createRiderClient({ ...system.connectionOptions('rosa', 'rider', 0), getToken: async () => own });
  t.teardown(() => signedOut.close());
  await signedOut.connect();
  const kept = await connect(t, system, 'rosa', 'rider', 1);
  t.equal(await post(system, { userId: 'rosa', role: 'rider', token: own }, '/v1/session/sign-out'), 204);
  await waitFor(() => endOf(signedOut), { ...within, what: 'the end of the session' });
  t.equal(kept.state.name, 'live');

  // Another role: the app comes back by itself with whatever token it gets then.
  const states: string[] = [];
  kept.on('state', ({ name }) => states.push(name));
  t.equal(await post(system, operator, '/v1/users/rosa/sign-out', { reason: 'role_changed' }), 204);
  await waitFor(() => states.includes('reconnecting'), { ...within, what: 'the socket of the old role to end' });
  await waitFor(() => kept.state.name === 'live', { ...connected, what: 'the socket with a new token' });
});

t.test('who is taken off a trip, and everybody when it ends, hears no more while the driver goes on', async () => {
  await Promise.all([
    checkRemoval(system, { urls: { driver: here, stays: here, leaves: there }, ids: idsOf('apart') }),
    checkRemoval(system, { urls: { driver: here, stays: there, leaves: there }, ids: idsOf('together') }),
  ]);
});

t.test('who is signed out hears no more on any node, while the driver goes on', async (t) => {
  const tookMs = await checkSignOuts(system, { urls: [here, there], ids: idsOf('out') });
  t.comment(`sockets ended ${tookMs.join(', ')} ms after the answers`);
});

t.test('while Redis hangs, sign-outs are still felt: the nodes ask the api', async (t) => {
  const { system: own, redis } = await startSystemOnOwnEngines(t, { realtimes: 2 });
  t.teardown(() => redis.faults.resume());
  const tookMs = await checkSignOuts(own, {
    urls: urlsOf(own),
    ids: idsOf('hung'),
    beforehand: () => redis.faults.pause(),
  });
  t.comment(`sockets ended ${tookMs.join(', ')} ms after the answers`);
});
