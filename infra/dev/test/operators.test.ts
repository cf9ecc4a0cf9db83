import type { ConnectionsReply, RealtimeStatsReply } from '@hushryd/contracts/http/realtime';
import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import type { Role } from '@hushryd/platform/auth/claims';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createDriverClient } from '@hushryd/sdk/driver-client';
import { createRiderClient } from '@hushryd/sdk/rider-client';
import t, { type Test } from 'tap';
import { type SystemService, startSystem } from './system.ts';

// What operators see of all nodes together, and what they do to one person's devices; over the api, on real processes.

const within = { withinMs: 20_000 };
/** F22: a node that was killed is gone from what operators see when its lease of ten seconds ends; the rest is the machine's. */
const lostWithinMs = 12_000;
const system = await startSystem(t, { realtimes: 2, apis: 2 });
const [, lostNode] = system.realtimes as [SystemService, SystemService];

async function ask<Reply>(method: string, path: string, { api = 0, body }: { api?: number; body?: object } = {}) {
  const reply = await fetch(`${system.apis[api]?.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${system.token('olga', 'operator')}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await reply.text();
  return { status: reply.status, body: (text === '' ? undefined : JSON.parse(text)) as Reply };
}

async function connect(t: Test, userId: string, role: Role, node: number) {
  const client = createRiderClient(system.connectionOptions(userId, role, node));
  t.teardown(() => client.close());
  const notices: string[] = [];
  client.watchUser(userId, { onEvent: (event) => event.name === 'notice' && notices.push(event.title) });
  await client.connect();
  return { client, notices };
}

t.test('one answer for all nodes, the same from every api; a node that is killed is gone from it', async (t) => {
  for (const [userId, node] of [
    ['rita', 0],
    ['rosa', 0],
    ['ruth', 1],
  ] as const) {
    await connect(t, userId, 'rider', node);
  }
  const statsOf = async (api: number) => (await ask<RealtimeStatsReply>('GET', '/v1/realtime/stats', { api })).body;
  for (const api of [0, 1]) {
    const { total, nodes } = await waitFor(
      async () => {
        const stats = await statsOf(api);
        return stats.total.subscriptions.user === 3 ? stats : undefined;
      },
      { ...within, what: 'three sockets in the sum' },
    );
    t.match(total, { nodes: 2, connections: 3, connectionsByRole: { rider: 3 } });
    t.strictSame(nodes.map(({ connections }) => connections).sort(), [1, 2]);
  }

  await lostNode.process.kill9();
  await waitFor(async () => (await statsOf(0)).total.nodes === 1, {
    withinMs: lostWithinMs,
    what: 'the lost node to leave the sum',
  });
  t.equal((await statsOf(1)).total.connections, 2);
  const ofRuth = await ask<ConnectionsReply>('GET', '/v1/users/ruth/connections');
  t.strictSame(ofRuth.body.connections, [], 'and so are its sockets');
  await lostNode.restart();
});

t.test('a word to one person reaches all of their devices, on all nodes', async (t) => {
  const devices = [await connect(t, 'vera', 'rider', 0), await connect(t, 'vera', 'rider', 1)];
  const other = await connect(t, 'walter', 'rider', 1);
  const driver = createDriverClient(system.connectionOptions('dora', 'driver', 1));
  t.teardown(() => driver.close());
  const toDriver: string[] = [];
  driver.watchUser('dora', { onEvent: (event) => event.name === 'notice' && toDriver.push(event.title) });
  await driver.connect();
  await waitFor(
    async () => (await ask<ConnectionsReply>('GET', '/v1/users/vera/connections')).body.connections.length === 2,
    {
      ...within,
      what: 'both devices',
    },
  );
  for (const title of ['Your driver is here', 'Gate 4']) {
    t.equal((await ask('POST', '/v1/users/vera/notices', { body: { title } })).status, 201);
  }
  for (const { notices } of devices) {
    await waitFor(() => notices.length === 2, { ...within, what: 'both notices' });
    t.strictSame(notices, ['Your driver is here', 'Gate 4']);
  }
  t.strictSame(other.notices, []);
  t.equal((await ask('POST', '/v1/users/dora/notices', { body: { title: 'A new trip' } })).status, 201);
  await waitFor(() => toDriver[0] === 'A new trip', { ...within, what: "the driver's notice" });
});

t.test('one socket is ended, by any api on any node, and stays away; the others of its user go on', async (t) => {
  const [first, second] = [await connect(t, 'zora', 'rider', 0), await connect(t, 'zora', 'rider', 1)];
  const { body } = await ask<ConnectionsReply>('GET', '/v1/users/zora/connections');
  t.equal(body.connections.length, 2);
  const state = second.client.state;
  const connectionId = 'connectionId' in state ? state.connectionId : '';
  t.equal((await ask('DELETE', `/v1/users/zora/connections/${connectionId}`, { api: 1 })).status, 204);
  await waitFor(() => second.client.state.name === 'closed', { ...within, what: 'the end of the socket' });
  t.match(second.client.state, { name: 'closed', code: closeCodes.endedByOperator });
  t.equal(first.client.state.name, 'live');
  t.equal(
    (await ask('DELETE', `/v1/users/zora/connections/${connectionId}`)).status,
    202,
    'it may be one without a lease',
  );
  t.equal((await ask('DELETE', '/v1/users/zora/connections/node-that-is-gone.1')).status, 404);
  t.equal((await ask('DELETE', '/v1/users/zora/connections/nonsense')).status, 400);
});
