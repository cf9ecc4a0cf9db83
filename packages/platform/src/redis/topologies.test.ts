import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import t from 'tap';
import type { RedisNode } from '../engines/redis-topology.ts';
import { createLogger } from '../logging/create-logger.ts';
import { ownCluster, ownSentinels } from '../testing/engines.ts';
import { toSettings } from '../testing/redis-variables.ts';
import { waitFor } from '../testing/wait-for.ts';
import { connectRedis, type RedisConnections } from './connect.ts';
import { createKeys } from './keys.ts';
import { assertLayout } from './layout.ts';
import { defineScript } from './scripts.ts';
import { toRedisError } from './unavailable.ts';

const log = createLogger({ service: 'test', instanceId: 'test-1', level: 'silent' });

/** Longest wait of any command; the deadline is 500 ms, the rest is a slow machine's. */
const SETTLED_WITHIN_MS = 2_000;
/** A sentinel that was held up by a busy machine does nothing for 30 s (its TILT mode), and only then fails over. */
const recoveredWithinMs = 100_000;
const partitions = Array.from({ length: 16 }, (_, p) => p);
const prefix = `test-${randomUUID()}:`;

t.test('a cluster', async (t) => {
  const { nodes, variables } = await ownCluster(t);
  const [first, , third] = nodes as [RedisNode, RedisNode, RedisNode];
  const settings = toSettings(variables, { prefix });
  const connections = await connectRedis({ settings, role: 'live', log });
  t.teardown(() => connections.close());
  const redis = connections.commands;
  const keys = createKeys(settings);
  const write = defineScript(redis, {
    name: 'write',
    lua: `redis.call('SET', KEYS[1], ARGV[1]) redis.call('SPUBLISH', KEYS[2], ARGV[1]) return ARGV[1]`,
    numberOfKeys: 2,
  });
  const writeOne = (p: number, bytes: Buffer) => write.buffer([keys.positions(p), keys.positionFeed(p)], [bytes]);
  const writeAll = (bytes: Buffer) => Promise.all(partitions.map((p) => writeOne(p, bytes)));
  const readAll = () => Promise.all(partitions.map((p) => settle(redis.get(keys.positions(p)))));

  await t.test('takes a script call for every partition in one turn, and again after SCRIPT FLUSH', async (t) => {
    const bytes = Buffer.from([0, 255, 13, 10]);
    t.same(await writeAll(bytes), Array(16).fill(bytes));
    for (const { port } of nodes) await onNode(port, (node) => node.script('FLUSH'));
    t.same(await writeAll(bytes), Array(16).fill(bytes));
    const held = await Promise.all(nodes.map(({ port }) => onNode(port, (node) => node.dbsize())));
    t.ok(
      held.every((count) => count > 0),
      `keys per node: ${held}`,
    );
  });

  await t.test('holds one layout', async (t) => {
    await assertLayout({ redis, keys });
    await t.rejects(assertLayout({ redis, keys: createKeys({ ...settings, partitions: 8 }) }), { name: 'ConfigError' });
  });

  const hear = await listen(connections, partitions.map(keys.positionFeed));

  await t.test('a killed primary is replaced, and one subscriber hears every partition again', async (t) => {
    await hear(() => writeAll(Buffer.from('first')), 16);
    const before = await connections.ping(5_000);

    await first.faults.kill9();
    const ends = await readAll();
    t.ok(ends.some(({ code }) => code === 'redis_unavailable'));
    t.ok(ends.some(({ code }) => code === 'ok'));
    t.ok(ends.every(({ tookMs }) => tookMs < SETTLED_WITHIN_MS));
    t.ok(before > 0);
    t.equal((await settle(connections.ping(500))).code, 'redis_unavailable', 'not all of it is there');

    await hear(() => Promise.allSettled(partitions.map((p) => writeOne(p, Buffer.from('second')))), 16);
    t.ok((await readAll()).every(({ code }) => code === 'ok'));
    await connections.ping(5_000);
    await first.faults.restart();
  });

  await t.test('one that hangs is replaced too, what it says afterwards is not believed', async (t) => {
    third.faults.pause();
    const ends = await readAll();
    t.ok(ends.some(({ code }) => code === 'redis_unavailable'));
    t.ok(ends.some(({ code }) => code === 'ok'));
    t.ok(ends.every(({ tookMs }) => tookMs < SETTLED_WITHIN_MS));
    await waitFor(async () => (await settle(writeAll(Buffer.from('third')))).code === 'ok', {
      withinMs: recoveredWithinMs,
      what: 'writes on its replica',
    });
    third.faults.resume();
    await hear(() => Promise.allSettled(partitions.map((p) => writeOne(p, Buffer.from('fourth')))), 16);
    const role = () => onNode(third.port, (node) => node.info('replication'));
    await waitFor(async () => /role:slave/.test(await role()), { withinMs: recoveredWithinMs, what: 'it to give in' });
    await hear(() => writeAll(Buffer.from('fifth')), 16);
  });
});

t.test('through sentinels a killed primary is replaced, and every connection finds the new one', async (t) => {
  const { nodes, variables } = await ownSentinels(t);
  const [primary, replica] = nodes as [RedisNode, RedisNode];
  const settings = toSettings(variables, { prefix });
  const connections = await connectRedis({ settings, role: 'live', log });
  t.teardown(() => connections.close());
  const others = await Promise.all(partitions.map(() => connectRedis({ settings, role: 'live', log })));
  t.teardown(() => Promise.all(others.map((other) => other.close())));
  const redis = connections.commands;
  const [channel, kept, count] = [`${prefix}{a}:feed`, `${prefix}{a}:kept`, `${prefix}{a}:n`];
  const hear = await listen(connections, [channel]);
  await hear(() => redis.spublish(channel, 'before'), 1);
  await redis.set(kept, 'yes');
  t.equal(await redis.wait(1, 400), 1);

  await primary.faults.kill9();
  await waitFor(async () => (await settle(redis.incr(count))).code === 'ok', {
    withinMs: recoveredWithinMs,
    what: 'writes on the new primary',
  });

  t.equal(await redis.get(kept), 'yes');
  t.match(await redis.info('server'), new RegExp(`tcp_port:${replica.port}`));
  await hear(() => redis.spublish(channel, 'after'), 1);
  for (const [index, other] of others.entries()) {
    await waitFor(async () => (await settle(other.commands.get(kept))).code === 'ok', {
      withinMs: recoveredWithinMs,
      what: `connection ${index} of ${others.length} on the new primary (it is in "${other.commands.status}")`,
    });
  }

  await t.test('word of a failover while a connection is being made ends nothing', async (t) => {
    const control = new Redis({
      sentinels:
        settings.sentinels?.hosts.map((host) => ({ host: '127.0.0.1', port: Number(host.split(':')[1]) })) ?? [],
      name: settings.sentinels?.name ?? '',
      failoverDetector: true,
      retryStrategy: () => 100,
    });
    control.on('error', () => undefined); // It loses its server.
    t.teardown(() => control.disconnect());
    await control.ping();
    const clients = { kept: redis as Redis, control };
    await Promise.all(Object.values(clients).map(speakWhileConnecting));

    await waitFor(async () => (await settle(redis.incr(count))).code === 'ok', {
      withinMs: recoveredWithinMs,
      what: 'writes of the connection',
    });
    // That of ioredis alone stays away for good.
    await waitFor(() => control.status === 'end', { withinMs: recoveredWithinMs, what: 'the end of the control' });
  });

  await t.test('a primary that became a replica is left for the new one', async (t) => {
    await primary.faults.restart();
    let reconnects = 0;
    redis.on('reconnecting', () => {
      reconnects += 1;
    });
    await onNode(replica.port, (node) => node.replicaof('127.0.0.1', primary.port));
    const { code, tookMs } = await settle(redis.incr(count));
    t.equal(code, 'redis_unavailable');
    t.ok(tookMs < SETTLED_WITHIN_MS);
    await waitFor(() => reconnects > 0, { withinMs: recoveredWithinMs, what: 'the connection to be made anew' });
    await onNode(replica.port, (node) => node.replicaof('NO', 'ONE'));
    await waitFor(async () => (await settle(redis.incr(count))).code === 'ok', {
      withinMs: recoveredWithinMs,
      what: 'writes',
    });
  });
});

interface Detector {
  isDisconnected: boolean;
  disconnect(): void;
}

/** The connection is lost, and the detector of failovers that came with it is heard while the next one is made. */
async function speakWhileConnecting(client: Redis): Promise<void> {
  const { connector } = client as unknown as { connector: { failoverDetector: Detector | null } };
  await waitFor(() => connector.failoverDetector, { withinMs: recoveredWithinMs, what: 'a detector' });
  const spoken = new Promise<void>((resolve) => {
    client.once('connecting', () => {
      setImmediate(() => {
        // As it does when `+switch-master` comes.
        if (connector.failoverDetector?.isDisconnected === false) connector.failoverDetector.disconnect();
        resolve();
      });
    });
  });
  (client as unknown as { stream: { destroy(): void } }).stream.destroy();
  await spoken;
}

async function settle(command: Promise<unknown>): Promise<{ code: string; tookMs: number }> {
  const startedAt = performance.now();
  const code = await command.then(
    () => 'ok',
    (error: unknown) => toRedisError(error).code,
  );
  return { code, tookMs: performance.now() - startedAt };
}

/** Subscribe; the result publishes again and again until so many channels were heard. */
async function listen(connections: RedisConnections, channels: string[]) {
  const subscriber = connections.subscriber();
  const heard = new Set<string>();
  subscriber.on('smessage', (channel: string) => {
    if (channels.includes(channel)) heard.add(channel);
  });
  await Promise.all(channels.map((channel) => subscriber.ssubscribe(channel)));
  return async (publish: () => Promise<unknown>, count: number): Promise<void> => {
    heard.clear();
    await waitFor(
      async () => {
        await settle(publish());
        return heard.size === count;
      },
      { withinMs: recoveredWithinMs, what: `${count} channels heard` },
    );
  };
}

/** Speak to one server, past all that finds its way by itself. */
async function onNode<Result>(port: number, work: (node: Redis) => Promise<Result>): Promise<Result> {
  const node = new Redis({ port });
  try {
    return await work(node);
  } finally {
    node.disconnect();
  }
}
