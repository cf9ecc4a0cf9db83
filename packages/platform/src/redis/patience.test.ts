import { randomUUID } from 'node:crypto';
import t from 'tap';
import type { ConfigError } from '../config/config-error.ts';
import { createLogger } from '../logging/create-logger.ts';
import { ownCluster, ownRedis } from '../testing/engines.ts';
import { toSettings } from '../testing/redis-variables.ts';
import { waitFor } from '../testing/wait-for.ts';
import type { RedisClient } from './client.ts';
import { connectRedis } from './connect.ts';
import { createKeys } from './keys.ts';
import { assertLayout } from './layout.ts';
import { toRedisError } from './unavailable.ts';

// Connections of a process that starts while its Redis is away.

const lines: { level: string; msg: string }[] = [];
const log = createLogger({
  service: 'test',
  instanceId: 'test-1',
  level: 'info',
  destination: { write: (line) => void lines.push(JSON.parse(line)) },
});
const recovery = { withinMs: 20_000 };
const settingsOf = (url: string, { isCluster = false } = {}) => ({
  urls: { live: url, queue: url, cache: url },
  isCluster,
  sentinels: undefined,
  prefix: `test-${randomUUID()}:`,
  partitions: 4,
  commandTimeoutMs: 500,
});
const outcome = (command: Promise<unknown>) =>
  command.then(
    () => 'ok',
    (error: unknown) => `${toRedisError(error).code}: ${toRedisError(error).detail}`,
  );
const refused = 'redis_unavailable: not sent';
const isOk = async (command: Promise<unknown>) => (await outcome(command)) === 'ok';
const ignore = () => undefined;

t.test('a Redis that comes later is looked at first, and used then', async (t) => {
  const redis = await ownRedis(t);
  await redis.faults.kill9();
  let pass: () => void = ignore;
  const looked = new Promise<void>((resolve) => {
    pass = resolve;
  });
  let isLookedAt = false;
  const connections = await connectRedis({
    settings: settingsOf(redis.url),
    role: 'live',
    check: async (client) => {
      await client.ping();
      isLookedAt = true;
      await looked;
    },
    patience: { onRefused: (error) => t.fail(error.message) },
    log,
  });
  t.teardown(() => connections.close());
  const subscriber = connections.subscriber();

  t.notOk(connections.isAdmitted);
  t.equal(await outcome(connections.commands.set('key', 1)), refused);
  await t.rejects(connections.ping(500), { code: 'redis_unavailable' });
  t.equal((await connections.commands.pipeline().set('key', 1).exec())?.[0]?.[0] instanceof Error, true);
  await t.rejects(subscriber.ssubscribe('channel'));
  await waitFor(() => lines.filter(({ msg }) => msg === 'redis connection failed').length >= 3, {
    ...recovery,
    what: 'the log to go on about it',
  });

  await redis.faults.restart();
  await waitFor(() => isLookedAt, { ...recovery, what: 'the look' });
  t.equal(await outcome(connections.commands.set('key', 2)), refused, 'nothing passes before the look is over');
  pass();
  await waitFor(() => connections.isAdmitted, { ...recovery, what: 'Redis' });
  t.equal(await connections.commands.get('key'), null);
  t.equal(await outcome(connections.commands.set('key', 3)), 'ok');
  t.ok((await connections.ping(5_000)) > 0);
  await waitFor(() => isOk(subscriber.ssubscribe('channel')), { ...recovery, what: 'a subscription' });
  t.ok(lines.some(({ msg }) => msg === 'redis is there, it is used from now on'));
});

t.test('one that comes later and may not be used is not: nothing is written to it', async (t) => {
  const redis = await ownRedis(t);
  const settings = settingsOf(redis.url);
  const first = await connectRedis({ settings, role: 'live', log });
  await assertLayout({ redis: first.commands, keys: createKeys({ ...settings, partitions: 8 }) });
  await first.close();
  await redis.faults.kill9();
  const refusals: ConfigError[] = [];
  const check = (client: RedisClient) => assertLayout({ redis: client, keys: createKeys(settings) });
  const patience = { onRefused: (error: ConfigError) => void refusals.push(error) };
  const connections = await connectRedis({ settings, role: 'live', check, patience, log });
  t.teardown(() => connections.close());

  await redis.faults.restart();
  await waitFor(() => refusals.length > 0, { ...recovery, what: 'the refusal' });
  t.match(refusals, [{ name: 'ConfigError', message: /laid out as 8:.*set REDIS_PARTITIONS/ }]);
  t.equal(await outcome(connections.commands.set('key', 1)), refused);

  await t.rejects(connectRedis({ settings, role: 'live', check, patience, log }), /laid out as 8:/, 'as at the start');
  t.equal(refusals.length, 1);
});

t.test('a cluster likewise', async (t) => {
  const cluster = await ownCluster(t);
  const settings = toSettings(cluster.variables, { prefix: `test-${randomUUID()}:` });
  const keys = createKeys(settings);
  const away = await connectRedis({
    settings: settingsOf('redis://127.0.0.1:9', { isCluster: true }),
    role: 'live',
    patience: { onRefused: ignore },
    connectTimeoutMs: 500,
    log,
  });
  t.teardown(() => away.close());
  t.equal(await outcome(away.commands.set('key', 1)), refused);
  t.not(await outcome(away.commands.pipeline().set('key', 1).exec()), 'ok');

  let pass: () => void = ignore;
  const looked = new Promise<void>((resolve) => {
    pass = resolve;
  });
  const connections = await connectRedis({
    settings,
    role: 'live',
    check: async (client) => {
      await assertLayout({ redis: client, keys });
      await looked;
    },
    patience: { onRefused: (error) => t.fail(error.message) },
    connectTimeoutMs: 100,
    log,
  });
  t.teardown(() => connections.close());
  t.equal(await outcome(connections.commands.set('key', 1)), refused);
  const [reply] = (await connections.commands.pipeline().set('key', 1).exec()) ?? [];
  t.match(reply?.[0], { message: 'Redis has not been looked at yet' });
  pass();
  await waitFor(() => connections.isAdmitted, { ...recovery, what: 'the cluster' });
  t.equal(await outcome(connections.commands.set('key', 1)), 'ok');
  const subscriber = connections.subscriber();
  await waitFor(() => isOk(subscriber.ssubscribe(keys.positionFeed(0))), { ...recovery, what: 'a subscription' });
});
