import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor, within } from '@hushryd/platform/testing/wait-for';
import { uuidV7 } from '@hushryd/sdk/sos/uuid-v7';
import t, { type Test } from 'tap';
import { request } from 'undici';
import { WebSocket, WebSocketServer } from 'ws';
import { backendsConfig } from '../src/front-door/backends-config.ts';
import { isNewEnough } from '../src/front-door/find-haproxy.ts';
import { configDir, openFrontDoor, portsOf, whyNoFrontDoor } from './open-front-door.ts';
import { startSystemOnOwnEngines } from './system.ts';

// What the front door does to a request on its way, seen by servers that say what reached them.

const skip = await whyNoFrontDoor();

interface Reached {
  readonly room: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

t.test('paths lead where they should, and are what the services know', { skip }, async (t) => {
  const { ask } = await setUp(t);
  const cases: [string, string, string][] = [
    ['/api/v1/trips?limit=3', 'api', '/v1/trips?limit=3'],
    ['/v1/trips?limit=3', 'api', '/v1/trips?limit=3'],
    ['/api/v1/realtime/tickets', 'api', '/v1/realtime/tickets'],
    ['/v1/realtime/tickets', 'api', '/v1/realtime/tickets'],
    ['/docs', 'api', '/docs'],
    ['/ws', 'realtime', '/v1/realtime'],
    ['/ws/v1/realtime', 'realtime', '/v1/realtime'],
    ['/v1/realtime', 'realtime', '/v1/realtime'],
    ['/admin/', 'console', '/'],
    ['/admin/assets/index.js', 'console', '/assets/index.js'],
    ['/admin/v1/realtime', 'console', '/v1/realtime'],
    ['/admin/api/x', 'console', '/api/x'],
  ];
  for (const [path, room, url] of cases) t.match(await ask(path), { room, url }, path);

  const { statusCode, headers } = await request(`${(await setUp(t)).url}/admin`);
  t.match([statusCode, headers.location], [308, '/admin/']);
});

t.test('what a client claims of itself is dropped, its request id is passed on', { skip }, async (t) => {
  const { ask } = await setUp(t);
  const forged = await ask('/api/v1/trips', {
    'x-forwarded-for': '203.0.113.7',
    'x-real-ip': '203.0.113.7',
    forwarded: 'for=203.0.113.7',
    'x-forwarded-proto': 'https',
    'x-request-id': 'the-id-of-the-client',
  });
  t.match(forged.headers, {
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-request-id': 'the-id-of-the-client',
  });
  t.notOk(forged.headers['x-real-ip'] ?? forged.headers.forwarded);
  t.match((await ask('/api/v1/trips', { 'x-request-id': '"; x' })).headers['x-request-id'], /^[0-9a-f-]{36}$/);

  const trusting = await setUp(t, {
    edit: (config) =>
      config.replace('api-nodes\n', 'api-nodes\n    http-request add-header x-forwarded-for 203.0.113.7\n'),
  });
  t.not(
    (await trusting.ask('/api/v1/trips')).headers['x-forwarded-for'],
    '127.0.0.1',
    'the check sees an address more',
  );
});

t.test('a websocket passes with its headers, and its frames in both directions', { skip }, async (t) => {
  const { url } = await setUp(t);
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, 'hushryd.v1', {
    headers: { authorization: 'Bearer x' },
  });
  const message = once(socket, 'message');
  await once(socket, 'open');
  socket.send('hello');
  t.equal(String((await message)[0]), 'realtime /v1/realtime Bearer x: hello');
  socket.close();
});

t.test('a socket on which nobody says anything is cut when the time of a tunnel is over', { skip }, async (t) => {
  const { REALTIME_TUNNEL_TIMEOUT: before } = process.env;
  t.teardown(() => {
    if (before === undefined) delete process.env.REALTIME_TUNNEL_TIMEOUT;
    else process.env.REALTIME_TUNNEL_TIMEOUT = before;
  });
  process.env.REALTIME_TUNNEL_TIMEOUT = '500ms';
  const { url } = await setUp(t);
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, 'hushryd.v1');
  const closed = once(socket, 'close');
  await once(socket, 'open');

  const [code] = (await within(closed, { withinMs: 10_000, what: 'the end of the socket' })) as [number];

  t.equal(code, 1006);
});

t.test('a request whose headers drip is ended', { skip }, async (t) => {
  const { url } = await setUp(t);
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.write('GET /api/v1/trips HTTP/1.1\r\nhost: x\r\n');
  const drip = setInterval(() => socket.write('x'), 500);
  t.teardown(() => clearInterval(drip));
  const [answer] = await within(once(socket, 'data'), { withinMs: 15_000, what: 'the end of a slow request' });
  t.match(String(answer), /^HTTP\/1\.1 408 /);
});

t.test('an address has so many connections and no more, until one of them ends', { skip }, async (t) => {
  const { url } = await setUp(t, { maxConnectionsPerAddress: 3 });
  const open = () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    t.teardown(() => socket.destroy());
    socket.on('error', () => undefined);
    return socket;
  };
  /** @returns whether it is answered, not closed */
  const isServed = async (socket: ReturnType<typeof open>) => {
    // A reset is an end like any other.
    const closed = new Promise<false>((resolve) => socket.once('close', () => resolve(false)));
    const answered = new Promise<true>((resolve) => socket.once('data', () => resolve(true)));
    socket.write('GET /api/v1/trips HTTP/1.1\r\nhost: x\r\n\r\n');
    return Promise.race([closed, answered]);
  };
  const kept = [open(), open(), open()];
  for (const socket of kept) t.ok(await isServed(socket));

  t.notOk(await isServed(open()), 'the fourth');
  kept[0]?.destroy();
  await waitFor(() => isServed(open()), { withinMs: 5_000, what: 'a place for another' });
});

t.test(
  'a server that is not ready gets calls for help alone, and the door says no to all else',
  { skip },
  async (t) => {
    const { ask, url, setReady, door, metricsUrl } = await setUp(t);
    await ask('/api/v1/trips');
    setReady(false);
    await waitFor(async () => (await door.admin.readStates('api')).api1 === 'DOWN', {
      withinMs: 15_000,
      what: 'the api out of service',
    });
    t.equal((await request(`${url}/api/v1/trips`)).statusCode, 503);
    t.match(await ask('/api/v1/sos'), { room: 'api', url: '/v1/sos' });
    t.match(await ask('/v1/webhooks/exotel/x'), { room: 'api', url: '/v1/webhooks/exotel/x' });
    t.equal((await request(`${url}/api/v1/sosx`)).statusCode, 503);
    t.match(await ask('/v1/sos/one/fixes'), { room: 'api', url: '/v1/sos/one/fixes' });
    t.equal((await request(`${url}/admin/v1/sos`)).statusCode, 200, 'which is the console’s own path');
    setReady(true);
    await waitFor(async () => (await ask('/api/v1/trips')).room === 'api', { withinMs: 15_000, what: 'its return' });

    const { body, statusCode } = await request(`${metricsUrl}/metrics`);
    t.equal(statusCode, 200);
    t.match(await body.text(), /haproxy_server_current_sessions\{proxy="realtime",server="realtime1"\}/);
    t.equal((await request(`${url}/metrics`)).statusCode, 200, 'which is the api’s own path from outside');
  },
);

t.test('with both stores dead a call for help gets through the door', { skip }, async (t) => {
  const { system, redis, mongo } = await startSystemOnOwnEngines(t, { apis: 2, realtimes: 0, workers: 0 });
  const door = await openFrontDoor(t, { apis: portsOf(system.apis), realtimes: [] });
  const readStates = async () => Object.values(await door.admin.readStates('api'));
  await waitFor(async () => (await readStates()).every((state) => state === 'UP'), {
    withinMs: 10_000,
    what: 'both in service',
  });
  await Promise.all([redis.faults.kill9(), mongo.faults.kill9()]);
  // A server that is not ready is out of service after three checks in a row, within 3 s.
  await sleep(6_000);

  const alertId = uuidV7(Date.now());
  const response = await request(`${door.url}/api/v1/sos`, {
    method: 'POST',
    headers: { authorization: `Bearer ${system.token('rita', 'rider')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ alertId, triggeredAt: new Date().toISOString() }),
  });

  t.match(
    { status: response.statusCode, body: await response.body.json() },
    { status: 202, body: { alertId, durability: 'local' } },
  );
  t.same(await readStates(), ['UP', 'UP']);
});

t.test('the files that are written here and the one for DNS name the same backends', async (t) => {
  const backends = (text: string) => text.match(/^backend .+$/gm);
  const dns = readFileSync(join(configDir, 'backends.cfg'), 'utf8');
  t.same(backends(backendsConfig({ apis: [1], realtimes: [2, 3], consoles: [4] })), backends(dns));
  t.match(backendsConfig({ apis: [1], realtimes: [2, 3] }), /server realtime2 127\.0\.0\.1:3\n/);
  t.same(['2.4.30', '2.6', '2.6.12', '2.10.1', '3.0.2'].map(isNewEnough), [false, true, true, true, true]);
});

async function setUp(t: Test, options: Parameters<typeof openFrontDoor>[2] = {}) {
  let isReady = true;
  const backends = {
    apis: [await tellRequests('api')],
    realtimes: [await tellRequests('realtime')],
    consoles: [await tellRequests('console')],
  };
  const door = await openFrontDoor(t, backends, options);
  for (const [backend, name] of [
    ['api', 'api1'],
    ['realtime', 'realtime1'],
    ['console', 'console1'],
  ] as const) {
    await waitFor(async () => (await door.admin.readStates(backend))[name] === 'UP', {
      withinMs: 10_000,
      what: `${backend} in service`,
    });
  }
  return {
    door,
    url: door.url,
    metricsUrl: door.metricsUrl,
    setReady(value: boolean) {
      isReady = value;
    },
    async ask(path: string, headers: Record<string, string> = {}): Promise<Reached> {
      const { body } = await request(`${door.url}${path}`, { headers });
      return (await body.json()) as Reached;
    },
  };

  /** A server that answers with what it was asked. @returns its port */
  async function tellRequests(room: string): Promise<number> {
    const server = createServer(({ url = '', headers }, response) => {
      response.statusCode = url === '/health/ready' && !isReady ? 503 : 200;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ room, url, headers }));
    });
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket, { url, headers }) => {
      socket.on('message', (data) => socket.send(`${room} ${url} ${headers.authorization}: ${String(data)}`));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  }
}
