import { randomUUID } from 'node:crypto';
import { setTimeout as pauseMs } from 'node:timers/promises';
import t from 'tap';
import type { RedisSettings } from '../config/shared-environment.ts';
import { findRedis } from '../engines/find-redis.ts';
import { createLogger } from '../logging/create-logger.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { waitFor } from '../testing/wait-for.ts';
import { connectRedis } from './connect.ts';
import { MAX_WAITING_COMMANDS } from './refuse-early.ts';
import { toRedisError } from './unavailable.ts';

// An engine of its own, never the one of REDIS_URL: it is hung and killed here.
const engine = await findRedis();
const { faults } = engine;
if (faults === undefined) throw new Error('A started engine can be broken');
t.teardown(() => engine.stop());

const lines: { level: string; msg: string }[] = [];
const log = createLogger({
  service: 'test',
  instanceId: 'test-1',
  level: 'info',
  destination: { write: (line) => void lines.push(JSON.parse(line)) },
});
const telemetry = createTelemetry({ service: 'test', instanceId: 'test-1', withProcessMetrics: false });
const settings: RedisSettings = {
  urls: { live: engine.url, queue: engine.url, cache: engine.url },
  isCluster: false,
  sentinels: undefined,
  prefix: `test-${randomUUID()}:`,
  partitions: 4,
  commandTimeoutMs: 500,
};
const connections = await connectRedis({ settings, role: 'live', log, telemetry });
const redis = connections.commands;
t.teardown(() => connections.close());

/** Longest wait of any command; the deadline is 500 ms, the rest is a slow machine's. */
const SETTLED_WITHIN_MS = 2_000;

async function settle(
  command: Promise<unknown>,
): Promise<{ tookMs: number; code: string; detail: string | undefined }> {
  const startedAt = performance.now();
  const end = await command.then(
    () => ({ code: 'ok', detail: undefined }),
    (error: unknown) => {
      const { code, detail } = toRedisError(error);
      return { code, detail };
    },
  );
  return { ...end, tookMs: performance.now() - startedAt };
}

const answers = async (): Promise<boolean> => (await settle(redis.ping())).code === 'ok';

async function subscribe(channel: string) {
  const subscriber = connections.subscriber();
  const received: string[] = [];
  subscriber.on('smessage', (_channel: string, text: string) => void received.push(text));
  await subscriber.ssubscribe(channel);
  return { subscriber, received };
}

/** Publish until somebody hears: a subscription is live, whatever came before. */
async function heard(channel: string, received: string[]): Promise<void> {
  const text = randomUUID();
  await waitFor(
    async () => {
      await settle(redis.spublish(channel, text));
      return received.includes(text);
    },
    { withinMs: 20_000, what: 'a message on a subscription' },
  );
}

t.test('behind a hung server every command ends in time, and all is well afterwards', async (t) => {
  const channel = `${settings.prefix}{a}:hung`;
  const { subscriber, received } = await subscribe(channel);
  await heard(channel, received);
  const waiting: ReturnType<typeof settle>[] = [];

  faults.pause();
  const pausedAt = performance.now();
  while (performance.now() - pausedAt < 3_000) {
    waiting.push(settle(redis.get('a')), settle(redis.incr(`${settings.prefix}{a}:n`)));
    waiting.push(settle(connections.ping(100)));
    await pauseMs(25);
  }
  const ends = await Promise.all(waiting);
  faults.resume();

  t.ok(ends.length > 100);
  t.same(
    ends.filter((end) => end.code !== 'redis_unavailable'),
    [],
  );
  t.same(
    ends.filter((end) => end.tookMs > SETTLED_WITHIN_MS),
    [],
  );
  await waitFor(answers, { withinMs: 20_000, what: 'answers after SIGCONT' });
  await heard(channel, received);
  t.equal(subscriber.listenerCount('smessage'), 1);
});

t.test('more commands than may wait are refused at once and counted', async (t) => {
  faults.pause();
  const ends = await Promise.all(Array.from({ length: MAX_WAITING_COMMANDS + 1_000 }, () => settle(redis.get('a'))));
  faults.resume();

  const refused = ends.filter((end) => end.detail === 'not sent').length;
  t.equal(refused, 1_000);
  // Those of the subscribers' own probes are among them.
  t.match(await telemetry.registry.metrics(), /redis_commands_refused_total\{role="live",.*\} 100\d/);
  await waitFor(answers, { withinMs: 20_000, what: 'answers after SIGCONT' });
});

t.test('while the server is gone commands fail in time, later it is found again', async (t) => {
  const channel = `${settings.prefix}{a}:gone`;
  const { received } = await subscribe(channel);
  await heard(channel, received);
  await redis.set(`${settings.prefix}{a}:kept`, 'yes');
  const logged = lines.length;

  const inFlight = settle(redis.blpop(`${settings.prefix}{a}:none`, 0));
  await faults.kill9();
  const ends = [await inFlight];
  for (let round = 0; round < 40; round += 1) {
    ends.push(await settle(redis.get('a')), await settle(connections.ping(200)));
    await pauseMs(20);
  }
  await faults.restart();

  t.same(
    ends.filter((end) => end.code !== 'redis_unavailable' || end.tookMs > SETTLED_WITHIN_MS),
    [],
  );
  t.ok(ends.filter((end) => end.detail === 'not sent').length > 40, 'most fail at once, without waiting');
  await waitFor(answers, { withinMs: 20_000, what: 'answers after the restart' });
  t.equal(await redis.get(`${settings.prefix}{a}:kept`), 'yes');
  await heard(channel, received);
  const failures = lines.slice(logged).filter((line) => line.msg === 'redis connection failed');
  t.ok(failures.length >= 1 && failures.length <= 20, `${failures.length} log lines for hundreds of failures`);
  t.ok(lines.slice(logged).some((line) => line.msg === 'redis connection is back'));
});

t.test('a command that was given up is not sent later', async (t) => {
  const key = `${settings.prefix}{a}:late`;
  const hasty = await connectRedis({ settings: { ...settings, commandTimeoutMs: 20 }, role: 'live', log });
  t.teardown(() => hasty.close());
  let succeeded = 0;
  let maybe = 0;

  for (let round = 0; round < 5; round += 1) {
    await faults.kill9();
    const restarted = faults.restart();
    let isBack = false;
    void restarted.then(() => {
      isBack = true;
    });
    for (let after = 0; after < 20; after += isBack ? 1 : 0) {
      const wasReady = hasty.commands.status === 'ready';
      const { code } = await settle(hasty.commands.incr(key));
      if (code === 'ok') succeeded += 1;
      else if (wasReady || hasty.commands.status === 'ready') maybe += 1;
      await pauseMs(2);
    }
    await restarted;
    await waitFor(answers, { withinMs: 20_000, what: 'answers after the restart' });
  }
  await waitFor(async () => (await settle(hasty.commands.ping())).code === 'ok', {
    withinMs: 20_000,
    what: 'the hasty connection is back',
  });

  const stored = Number((await redis.get(key)) ?? 0);
  t.ok(stored >= succeeded && stored <= succeeded + maybe, `${succeeded} ≤ ${stored} ≤ ${succeeded} + ${maybe}`);
});

t.test('a Redis that evicts is refused, unless it is a cache', async (t) => {
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
  for (const role of ['live', 'queue'] as const) {
    await t.rejects(
      connectRedis({ settings, role, log }),
      { name: 'ConfigError', message: /maxmemory-policy allkeys-lru.*set maxmemory-policy to noeviction/ },
      role,
    );
  }
  const cache = await connectRedis({ settings, role: 'cache', log });
  await cache.close();
  await redis.config('SET', 'maxmemory-policy', 'noeviction');
  const connected = await connectRedis({ settings, role: 'live', log });
  await connected.close();
});

t.test('a live Redis that keeps nothing on disk is refused in production, and only there', async (t) => {
  const inProduction = () => connectRedis({ settings: { ...settings, isProduction: true }, role: 'live', log });
  const said = lines.length;
  const kept = await inProduction();
  await kept.close();
  t.ok(lines.slice(said).some(({ msg }) => String(msg).includes('min-replicas-to-write')));

  await redis.config('SET', 'appendonly', 'no');
  await t.rejects(inProduction(), { name: 'ConfigError', message: /appendonly no.*set appendonly to yes/ });
  const elsewhere = await connectRedis({ settings, role: 'live', log });
  await elsewhere.close();
  await redis.config('SET', 'appendonly', 'yes', 'min-replicas-to-write', '1');
  const quiet = lines.length;
  const replicated = await inProduction();
  await replicated.close();
  t.notOk(lines.slice(quiet).some(({ msg }) => String(msg).includes('min-replicas-to-write')));
  await redis.config('SET', 'min-replicas-to-write', '0');
});

t.test('after close nothing is connected', async (t) => {
  const own = await connectRedis({ settings, role: 'cache', log });
  own.subscriber();
  const names = async (): Promise<string> => String(await redis.call('CLIENT', 'LIST'));
  await waitFor(async () => /cache-commands/.test(await names()) && /cache-subscriber/.test(await names()), {
    withinMs: 20_000,
    what: 'connected',
  });

  const last = own.commands.set(`${settings.prefix}{a}:last`, 'written');
  await own.close();

  t.equal(await last, 'OK');
  await waitFor(async () => !/hushryd-cache/.test(await names()), {
    withinMs: 20_000,
    what: 'the connections are gone',
  });
  t.equal((await settle(own.commands.ping())).code, 'redis_unavailable');
});
