import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import type { Role } from '@hushryd/platform/auth/claims';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createConsoleClient } from '@hushryd/sdk/console-client';
import type { GetToken } from '@hushryd/sdk/http/get-token';
import { createRiderClient, type RiderClient } from '@hushryd/sdk/rider-client';
import t, { type Test } from 'tap';
import { checkRemoval, checkSignOuts } from './end-checks.ts';
import { openPlainSocket } from './plain-socket.ts';
import { ask, type Case } from './room-checks.ts';
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
  // The api looks once a second, as the nodes do.
  const isRefused = async () =>
    (await post(system, { userId: 'rita', role: 'rider', token }, '/v1/realtime/tickets')) === 401;
  await waitFor(isRefused, { ...within, what: 'the refusal over HTTP' });

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

t.test(
  'signing out ends a session whichever of its tokens says so: on sockets, refreshed or not, and over HTTP',
  async (t) => {
    const token = (sessionId: string) => system.token('rolf', 'rider', sessionId);
    const open = async (url: string, sessionId: string) => {
      const socket = await openPlainSocket(url, token(sessionId));
      t.teardown(() => socket.close());
      return socket;
    };
    const older = await open(here, 'phone');
    const refreshed = await open(there, 'phone');
    const tablet = await open(there, 'tablet');
    // One of a later second replaces the token that the socket was opened with.
    const openedAtMs = Date.now();
    await waitFor(() => Date.now() >= openedAtMs + 1000, { ...within, what: 'the next second' });
    await ask(refreshed, { type: 'refresh', token: token('phone') }, 'refreshed');

    const newest = token('phone');
    t.equal(await post(system, { userId: 'rolf', role: 'rider', token: newest }, '/v1/session/sign-out'), 204);
    const ends = await Promise.all([older.ended(), refreshed.ended()]);
    t.same(
      ends.map(({ code }) => code),
      [closeCodes.sessionEnded, closeCodes.sessionEnded],
    );
    const askTicket = (sessionId: string) =>
      post(system, { userId: 'rolf', role: 'rider', token: token(sessionId) }, '/v1/realtime/tickets');
    // Of one that is issued later, too. The api looks once a second, as the nodes do.
    const isRefused = async () => (await askTicket('phone')) === 401;
    await waitFor(isRefused, { ...within, what: 'the refusal of every token of the session' });
    t.equal(await askTicket('tablet'), 201);
    await ask(tablet, { type: 'ping' }, 'pong');
  },
);

t.test('after a change of role an app that caches its token is back by itself, over tickets', async (t) => {
  const operator = { userId: 'olga', role: 'operator' } as const;
  const changeRole = (userId: string) =>
    post(system, operator, `/v1/users/${userId}/sign-out`, { reason: 'role_changed' });
  const overTickets = (userId: string, getToken: GetToken) => {
    const client = createConsoleClient({ ...system.connectionOptions(userId, 'rider', 1), auth: 'ticket', getToken });
    t.teardown(() => client.close());
    return client;
  };

  // As the console and the fleet do: kept until it is refused.
  let role: Role = 'rider';
  let kept = system.token('rhea', role);
  let renewals = 0;
  const rhea = overTickets('rhea', ({ refused }) => {
    if (kept === refused) {
      kept = system.token('rhea', role);
      renewals += 1;
    }
    return kept;
  });
  // Her session is over: there is no other token.
  const last = system.token('ruth', 'rider');
  const ruth = overTickets('ruth', () => last);
  await Promise.all([rhea.connect(), ruth.connect()]);
  const refusal = await new Promise((resolve) => rhea.watchMap({ onVehicles: () => undefined, onEnded: resolve }));
  t.equal(refusal, 'forbidden', 'riders have no map');

  role = 'operator';
  const ends = Promise.all([rhea, ruth].map((client) => new Promise<void>((done) => client.on('state', () => done()))));
  t.same(await Promise.all(['rhea', 'ruth'].map(changeRole)), [204, 204]);
  await ends;
  await waitFor(() => rhea.state.name === 'live', { ...connected, what: 'rhea with her new role' });
  await new Promise<void>((resolve) => rhea.watchMap({ onVehicles: () => undefined, onSubscribed: resolve }));
  t.ok(renewals >= 1 && renewals <= 2, `${renewals} tokens, the first perhaps of the second of the change`);

  const end = await waitFor(() => endOf(ruth), { ...connected, what: 'the end for whom there is no other token' });
  t.equal(end.reason, 'refused');
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

t.test('while Redis hangs, sign-outs, removals and ends are still felt: the nodes ask the api', async (t) => {
  const { system: own, redis } = await startSystemOnOwnEngines(t, { realtimes: 2 });
  t.teardown(() => redis.faults.resume());
  const [one, other] = urlsOf(own);
  await checkRemoval(own, {
    urls: { driver: one, stays: one, leaves: other },
    ids: idsOf('unread'),
    redis: redis.faults,
  });
  const tookMs = await checkSignOuts(own, {
    urls: urlsOf(own),
    ids: idsOf('hung'),
    beforehand: () => redis.faults.pause(),
  });
  t.comment(`sockets ended ${tookMs.join(', ')} ms after the answers`);
});
