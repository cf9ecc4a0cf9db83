import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FixSchema } from '@hushryd/contracts/fix';
import { TripSchema } from '@hushryd/contracts/trip';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import Value from 'typebox/value';
import { parseKeyRing } from '../auth/key-ring.ts';
import { createTokenVerifier } from '../auth/verify-token.ts';
import { createBuilders } from './builders.ts';
import { createFakeClock } from './clock.ts';
import { ownRedis, testMongo, testRedis } from './engines.ts';
import { type ProxyFaults, startFaultProxy } from './fault-proxy.ts';
import { startService } from './service-process.ts';
import { createTestTokens } from './tokens.ts';
import { waitFor, within } from './wait-for.ts';

const fixtures = join(dirname(fileURLToPath(import.meta.url)), '../../test/fixtures');

t.test('a fake clock moves only when told, backwards too', async (t) => {
  const clock = createFakeClock();
  const start = clock.now();

  clock.advance(1500);
  t.equal(clock.now(), start + 1500);
  clock.set(start - 1);
  t.equal(clock.now(), start - 1);
});

t.test('waiting gives the first truthy value, and names what did not come', async (t) => {
  let asked = 0;

  t.equal(await waitFor(() => (asked++ < 3 ? undefined : 'here'), { withinMs: 5000, what: 'it' }), 'here');
  await t.rejects(
    waitFor(() => false, { withinMs: 50, what: 'the rider' }),
    { message: 'the rider did not come within 0.05 s' },
  );
  await t.rejects(
    waitFor(() => Promise.reject(new Error('refused')), { withinMs: 50, what: 'the answer' }),
    { message: 'the answer did not come within 0.05 s (last: refused)' },
  );
  await t.rejects(
    waitFor(() => new Promise(() => undefined), { withinMs: 50, what: 'the end' }),
    /the end did not come/,
  );
  await t.rejects(within(new Promise(() => undefined), { withinMs: 50, what: 'the end' }), /the end did not come/);
});

t.test('a proxy without faults carries every byte in order, both ways, and the ends of both', async (t) => {
  const { proxy, client } = await throughProxy(t);
  const sent = Buffer.alloc(3_000_000, 'abcdefg');

  client.socket.end(sent);
  await waitFor(() => client.isEnded, { withinMs: 20_000, what: 'the end from the echo' });

  t.ok(sent.equals(client.received()));
  await waitFor(() => proxy.connectionCount === 0, { withinMs: 5000, what: 'the end of the pair' });
});

t.test('silence holds both directions open without a byte, and what was held arrives when it ends', async (t) => {
  const { proxy, client, echo } = await throughProxy(t);
  proxy.setFaults({ toServer: { isSilent: true }, toClient: { isSilent: true } });
  client.socket.write('one');
  await nothingFor(() => echo.received().length > 0 || client.isClosed);

  proxy.heal();
  client.socket.write('two');

  await waitFor(() => client.received().toString() === 'onetwo', { withinMs: 5000, what: 'the echo' });
});

t.test('a one-way network delivers requests and loses answers', async (t) => {
  const { proxy, client, echo } = await throughProxy(t);
  proxy.setFaults({ toClient: { isSilent: true } });

  client.socket.write('ask');
  await waitFor(() => echo.received().toString() === 'ask', { withinMs: 5000, what: 'the request' });
  await nothingFor(() => client.received().length > 0);
  proxy.heal();

  await waitFor(() => client.received().toString() === 'ask', { withinMs: 5000, what: 'the late answer' });
});

t.test('delay, jitter and bandwidth make bytes late and keep their order', async (t) => {
  for (const toServer of [
    { delayMs: 300 },
    { delayMs: 300, jitterMs: 50 },
    { bytesPerSecond: 100 },
  ] satisfies ProxyFaults['toServer'][]) {
    const { proxy, client } = await throughProxy(t);
    proxy.setFaults({ toServer });
    const startedAtMs = performance.now();

    for (let i = 0; i < 10; i += 1) client.socket.write(`${i}...`);
    await waitFor(() => client.received().length === 40, { withinMs: 10_000, what: 'the echo' });

    t.equal(client.received().toString(), '0...1...2...3...4...5...6...7...8...9...');
    t.ok(performance.now() - startedAtMs > 290, `${JSON.stringify(toServer)} made it late`);
  }
});

t.test('corruption turns one bit of every n-th byte, the same for the same seed', async (t) => {
  const runs: string[] = [];
  for (const seed of [7, 7, 8]) {
    const { proxy, client } = await throughProxy(t, seed);
    proxy.setFaults({ toServer: { corruptEveryBytes: 100 } });
    client.socket.write(Buffer.alloc(1000));
    await waitFor(() => client.received().length === 1000, { withinMs: 5000, what: 'the echo' });
    runs.push(client.received().toString('hex'));
  }

  const changed = [...Buffer.from(runs[0]!, 'hex').entries()].filter(([, byte]) => byte !== 0);
  t.same(
    changed.map(([at]) => at),
    [99, 199, 299, 399, 499, 599, 699, 799, 899, 999],
  );
  t.ok(
    changed.every(([, byte]) => (byte & (byte - 1)) === 0),
    'one bit each',
  );
  t.equal(runs[0], runs[1]);
  t.not(runs[0], runs[2]);
});

t.test('a cut before forwarding keeps bytes from the server, a cut after it loses the answer', async (t) => {
  for (const when of ['before', 'after'] as const) {
    const { proxy, client, echo } = await throughProxy(t);
    client.socket.write('hello');
    await waitFor(() => client.received().toString() === 'hello', { withinMs: 5000, what: 'the first echo' });

    const cut = proxy.cutNext({ when, fits: (chunk) => chunk.includes('pay') });
    client.socket.write('pay');
    await within(cut, { withinMs: 5000, what: 'the cut' });
    await waitFor(() => client.isClosed, { withinMs: 5000, what: 'the reset' });

    t.equal(client.error, 'ECONNRESET');
    t.equal(echo.received().toString(), when === 'before' ? 'hello' : 'hellopay');
    t.equal(client.received().toString(), 'hello');
  }
});

t.test('what marks a connection lets it be broken alone, until it ends', async (t) => {
  const { proxy, client, open, echo } = await throughProxy(t);
  const other = await open();
  other.socket.write('mark');
  await waitFor(() => other.received().toString() === 'mark', { withinMs: 5000, what: 'the echo of the other' });

  const left = proxy.breakMarked({ toClient: { leaves: (chunk) => Buffer.from(String(chunk).replace('word', '')) } });
  other.socket.write('word');
  await waitFor(() => echo.received().toString() === 'markword', { withinMs: 5000, what: 'the word' });
  client.socket.write('word');
  await waitFor(() => client.received().toString() === 'word', { withinMs: 5000, what: 'the echo' });
  other.socket.write('more');
  await waitFor(() => other.received().toString() === 'markmore', { withinMs: 5000, what: 'all but what was lost' });
  t.equal(left(), 1);
  other.socket.end();
  await waitFor(() => left() === 0, { withinMs: 5000, what: 'the end of the broken one' });

  const next = await open();
  next.socket.write('markword');
  await waitFor(() => next.received().toString() === 'markword', { withinMs: 5000, what: 'the echo of the next' });
});

t.test('resetting ends connections with RST and new ones work', async (t) => {
  const { proxy, client, open } = await throughProxy(t);
  client.socket.write('a');
  await waitFor(() => client.received().length === 1, { withinMs: 5000, what: 'the echo' });

  proxy.resetAll();
  await waitFor(() => client.isClosed, { withinMs: 5000, what: 'the reset' });
  const next = await open();
  next.socket.write('b');

  await waitFor(() => next.received().toString() === 'b', { withinMs: 5000, what: 'the echo of the next' });
  t.equal(client.error, 'ECONNRESET');
});

t.test('a service process gives its log, its exit, and nothing of our environment', async (t) => {
  const main = join(fixtures, 'noisy-service.ts');
  const service = await startService(t, { name: 'noisy', main, env: { ONLY: 'this' }, ready: 'listening' });

  const line = await service.waitForLog((entry) => entry.port === 4242);
  // tap adds its own to every child, so that its coverage knows it.
  const ours = ['HOME', 'ONLY', 'PATH'];
  t.same(
    (line.variables as string[]).filter((name) => !/^(_TAPJS|NODE_OPTIONS)/.test(name)),
    ours,
  );
  t.same(await service.terminate(), { code: 0, signal: null });
  t.match(await service.waitForLog('shutdown complete'), { drained: 7 });
  await t.rejects(
    service.waitForLog('never'),
    /"never" of noisy cannot come: it ended with code 0; its last lines: .*shutdown complete/,
  );

  const failing = startService(t, { name: 'failing', main, args: ['exit'], env: {}, ready: 'listening' });
  await t.rejects(failing, /"listening" of failing cannot come: it ended with code 3; .*no configuration/);

  const deaf = await startService(t, { name: 'deaf', main, args: ['deaf'], env: {}, ready: 'listening' });
  await t.rejects(deaf.terminate(200), /the end of deaf after SIGTERM did not come/);
  t.same(await deaf.kill9(), { code: null, signal: 'SIGKILL' });
});

t.test('tests on a shared server keep to their own and leave nothing behind', async (t) => {
  const shared = await ownRedis(t);
  const redis = new Redis(shared.url);
  t.teardown(() => redis.disconnect());
  await redis.set('somebody:else', 'stays');
  const before = process.env.REDIS_URL;
  process.env.REDIS_URL = shared.url;
  t.teardown(() => {
    if (before === undefined) delete process.env.REDIS_URL;
    else process.env.REDIS_URL = before;
  });

  await t.test('one test', async (t) => {
    const { url, prefix, engine } = await testRedis(t);
    t.equal(engine.source, 'url');
    t.equal(url, shared.url);
    for (let i = 0; i < 1200; i += 1) redis.set(`${prefix}${i}`, i);
    t.equal(await redis.dbsize(), 1201);
  });

  t.same(await redis.keys('*'), ['somebody:else']);
});

t.test('a test database is dropped with its test', async (t) => {
  const { url, client } = await testMongo(t);
  const before = process.env.MONGODB_URL;
  process.env.MONGODB_URL = url;
  t.teardown(() => {
    if (before === undefined) delete process.env.MONGODB_URL;
    else process.env.MONGODB_URL = before;
  });

  let database = '';
  await t.test('one test', async (t) => {
    const own = await testMongo(t);
    database = own.database;
    await own.db.collection('trips').insertOne({ a: 1 });
  });

  const { databases } = await client.db('admin').admin().listDatabases();
  t.notOk(databases.some(({ name }) => name === database));
});

t.test('built values fit their schemas and repeat for a seed', async (t) => {
  const make = (seed: number) => {
    const builders = createBuilders(seed);
    return {
      trip: builders.trip(),
      drive: builders.drive({ count: 200, startMs: 1_772_352_000_000 }),
      driver: builders.identity('driver', 0),
    };
  };
  const { trip, drive, driver } = make(1);

  t.ok(Value.Check(TripSchema, trip));
  t.ok(drive.every((fix) => Value.Check(FixSchema, fix)));
  t.same(
    drive.map(({ seq }) => seq),
    Array.from({ length: 200 }, (_, index) => index + 1),
  );
  t.equal(driver.audience, 'user');
  t.same(make(1), make(1));
  t.notSame(make(1), make(2));
});

t.test('test tokens are accepted by the verifier that gets their ring', async (t) => {
  const tokens = createTestTokens();
  const ring = parseKeyRing(tokens.publicKeysJson);
  const verifier = createTokenVerifier({ ring, issuer: 'hushryd', audiences: ['user', 'admin'], cacheSize: 10 });

  t.match(verifier.verify(tokens.sign({ userId: 'op_1', role: 'operator' })), { userId: 'op_1', audience: 'admin' });
  t.match(verifier.verify(tokens.sign({ userId: 'd_1', role: 'driver' })), { userId: 'd_1', audience: 'user' });
});

/** An echo server, a proxy before it and a client through both. */
async function throughProxy(t: Test, seed = 1) {
  const echoed: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => echoed.push(chunk));
    socket.pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const proxy = await startFaultProxy(t, {
    port: (server.address() as AddressInfo).port,
    seed,
    marks: (chunk) => chunk.includes('mark'),
  });
  const open = () => openClient(t, proxy.port);
  return { proxy, open, client: await open(), echo: { received: () => Buffer.concat(echoed) } };
}

async function openClient(t: Test, port: number) {
  const chunks: Buffer[] = [];
  const socket = connect(port, '127.0.0.1');
  const client = { socket, isEnded: false, isClosed: false, error: '', received: () => Buffer.concat(chunks) };
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('end', () => {
    client.isEnded = true;
  });
  socket.on('close', () => {
    client.isClosed = true;
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    client.error = error.code ?? '';
  });
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return client;
}

/** Silence cannot be waited for as an event: 300 ms of it have to do. */
async function nothingFor(somethingHappened: () => boolean): Promise<void> {
  await waitFor(somethingHappened, { withinMs: 300, what: 'nothing' }).then(
    () => {
      throw new Error('something came through the silence');
    },
    () => undefined,
  );
}
