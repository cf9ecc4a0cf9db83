import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import { realtimePath } from '@hushryd/contracts/realtime/limits';
import { freePort } from '@hushryd/platform/engines/ports';
import { ownRedis, testRedis } from '@hushryd/platform/testing/engines';
import { startService } from '@hushryd/platform/testing/service-process';
import { waitFor, within } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import {
  createIssuer,
  fillRedis,
  fix,
  openSocket,
  startTestRealtime,
  type TestSocket,
  trip,
} from './start-realtime.ts';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));

t.test('with Redis hung nothing is acknowledged, everybody is told, and health still answers', async (t) => {
  const redis = await ownRedis(t);
  // The api hangs as well: it takes connections and never says a word.
  const api = createServer(() => undefined).listen({ host: '127.0.0.1', port: 0 });
  await once(api, 'listening');
  t.teardown(() => api.close());
  const env = { INTERNAL_API_URLS: `http://127.0.0.1:${(api.address() as AddressInfo).port}` };
  const node = await startTestRealtime(t, { redis: { url: redis.url, prefix: 'test:' }, env });
  await node.putTrip(trip('trip-1'), 'trip.started');
  const { socket, run } = await node.connectDriver('driver-1');
  const rider = await node.connect('rider-1', 'rider');
  rider.send({ type: 'sub', topic: 'trip:trip-1' });
  await rider.next('subscribed');

  redis.faults.pause();
  t.teardown(() => redis.faults.resume());
  socket.send({ type: 'loc', id: 1, run, from: 1, tripId: 'trip-1', fixes: [fix(1)] });
  for (const one of [socket, rider]) t.match(await one.next('status'), { live: false });
  t.equal(socket.all('recv').length, 0);
  const health = await within(fetch(`http://127.0.0.1:${node.port}/health`), { withinMs: 2000, what: '/health' });
  t.match(await health.json(), {
    status: 'degraded',
    dependencies: { redis: { status: 'down' }, internalApi: { status: 'down' } },
  });
  t.equal((await fetch(`http://127.0.0.1:${node.port}/health/ready`)).status, 503);
  rider.send({ type: 'sub', id: 7, topic: 'trip:trip-9' });
  t.match(await rider.next('error'), { id: 7, retryable: true });
  const late = await openSocket(node.url, { token: node.issuer.token('rider-2', 'rider') });
  t.match(await late.next('status'), { live: false }, 'who comes meanwhile is let in and told');
  late.ws.terminate();

  redis.faults.resume();
  for (const one of [socket, rider]) t.match(await one.next('status'), { live: true });
  t.match(await socket.next('recv'), { id: 1, seq: 1 });
  t.match(await rider.next('position'), { position: { seq: 1 } });
  t.equal((await node.stored()).fixes.length, 1);
});

t.test('SIGTERM sends everybody away, flushes, and exits 0', async (t) => {
  const redis = await testRedis(t);
  await fillRedis(redis.settings());
  const issuer = createIssuer();
  const env = {
    // A port by number: two that share one would both be let in, where the kernel chose it they are not.
    PORT: String(await freePort()),
    METRICS_PORT: '0',
    ...redis.variables,
    TOKEN_PUBLIC_KEYS: issuer.ring,
    SERVICE_TOKEN: 'service-token-of-this-test-alone-000000',
    DRAIN_MS: '2000',
  };
  const service = await startService(t, { name: 'realtime', main, env, ready: 'listening' });
  const { port } = await service.waitForLog('listening');
  const socketUrl = `ws://127.0.0.1:${port as number}${realtimePath}`;
  const sockets: TestSocket[] = [];
  for (let opened = 0; opened < 3; opened += 1) {
    sockets.push(await openSocket(socketUrl, { token: issuer.token('driver-1', 'driver') }));
  }
  const [driver] = sockets as [TestSocket];
  driver.send({ type: 'hello' });
  const { run } = await driver.next('welcome');

  await t.test('its port is its own', async (t) => {
    const second = startService(t, { name: 'second', main, env, ready: 'listening' });
    await t.rejects(second, /Port \d+ on 127\.0\.0\.1 cannot be listened on/);
  });

  driver.send({ type: 'loc', id: 1, run, from: 1, fixes: [fix(1)] });
  const exit = service.terminate(25_000);
  t.match(await driver.next('recv'), { id: 1 });
  for (const socket of sockets) {
    const { retryInMs } = await socket.next('draining');
    t.ok(retryInMs <= 2000);
  }
  const codes = await Promise.all(sockets.map(async (socket) => (await socket.ended()).code));

  t.same([...new Set(codes)], [closeCodes.draining]);
  t.same(await exit, { code: 0, signal: null });
  t.match(await service.waitForLog('shutdown complete'), { socketsDrained: 3, socketsForced: 0, failedCount: 0 });
  t.match(await openSocket(socketUrl).catch((error: Error) => error.message), /ECONNREFUSED/);
});

t.test('a bad setting stops the start with a sentence that names it', async (t) => {
  const env = {
    REDIS_URL: 'redis://127.0.0.1:1',
    PORT: 'five',
    SERVICE_TOKEN: 'x'.repeat(32),
    TOKEN_PUBLIC_KEYS: '{}',
  };
  const start = startService(t, { name: 'realtime', main, env, ready: 'listening' });
  await t.rejects(start, /PORT is .*five/);
});

t.test('a node that comes back finds its drivers where they were', async (t) => {
  const redis = await testRedis(t);
  const issuer = createIssuer();
  const first = await startTestRealtime(t, { redis, issuer });
  const phone = await first.connectDriver('driver-1');
  phone.socket.send({ type: 'loc', id: 1, run: phone.run, from: 1, fixes: [fix(1)] });
  await phone.socket.next('recv');
  await first.close();
  t.equal((await phone.socket.ended()).code, closeCodes.draining);

  const second = await startTestRealtime(t, { redis, issuer });
  const again = await second.connect('driver-1', 'driver');
  again.send({ type: 'hello', id: 2, run: phone.run, from: 1 });
  t.match(await again.next('welcome'), { id: 2, run: phone.run, durableSeq: 0, position: { seq: 1 } });
  await waitFor(async () => (await second.metric('realtime_connections')) === 1, {
    withinMs: 5000,
    what: 'one socket',
  });
});
