import { randomUUID } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { createLogger } from '../logging/create-logger.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { type OwnEngine, ownRedis } from '../testing/engines.ts';
import { toSettings } from '../testing/redis-variables.ts';
import { waitFor } from '../testing/wait-for.ts';
import { connectRedis } from './connect.ts';
import { keepSubscribed } from './keep-subscribed.ts';
import { createNumberedFeed } from './numbered-feed.ts';

const prefix = `test-${randomUUID()}:`;
const channel = `${prefix}{a}:feed`;
const numberKey = `${prefix}{a}:feed:n`;
const soon = { withinMs: 20_000 };

t.test('a subscriber on a detached replica is noticed, though it answers PING, and hears again', async (t) => {
  const { door, primary, replica, onReplica } = await startPair(t);
  const said: string[] = [];
  const log = createLogger({
    service: 'test',
    instanceId: 'test-1',
    level: 'info',
    destination: { write: (line) => void said.push((JSON.parse(line) as { msg: string }).msg) },
  });
  const telemetry = createTelemetry({ service: 'test', instanceId: 'test-1', withProcessMetrics: false });
  const settings = toSettings({ REDIS_URL: `redis://127.0.0.1:${door.port}` }, { prefix });
  const connections = await connectRedis({ settings, role: 'live', log, telemetry });
  t.teardown(() => connections.close());
  const { commands } = connections;

  // What was connected stays on the primary, subscribers come to the replica: messages reach them by replication.
  door.leadTo(replica);
  const missed: number[] = [];
  const feed = createNumberedFeed({
    name: 'test feed',
    connections,
    partitions: [{ channel, numberKey }],
    onMessage: (message) => Number(message),
    onGap: async () => void missed.push(Number(await commands.get(numberKey))),
    log,
    checkEveryMs: 600_000,
  });
  t.teardown(() => feed.close());
  await feed.start();
  const heard = { kept: 0, control: 0 };
  const kept = connections.subscriber();
  kept.on('smessage', (from: string) => {
    if (from === channel) heard.kept += 1;
  });
  await kept.ssubscribe(channel);
  const control = keepSubscribed(new Redis({ port: door.port }), {
    publish: () => Promise.reject(new Error('no probes here')),
    onStarved: () => t.fail('the control has no probe'),
    log,
  });
  t.teardown(() => control.disconnect());
  control.on('smessage', () => {
    heard.control += 1;
  });
  await control.ssubscribe(channel);
  const publish = async (): Promise<void> => {
    await commands.spublish(channel, String(await commands.incr(numberKey)));
  };
  const publishUntil = (isHeard: () => boolean, what: string) =>
    waitFor(
      async () => {
        await publish();
        return isHeard();
      },
      { ...soon, what },
    );
  await publishUntil(() => heard.kept > 0 && heard.control > 0, 'messages by way of the replica');

  await onReplica((node) => node.replicaof('NO', 'ONE'));
  door.leadTo(primary);
  const unheard = await commands.incr(numberKey);
  Object.assign(heard, { kept: 0, control: 0 });
  await publishUntil(() => heard.kept > 0, 'messages again');
  t.equal(heard.control, 0, 'without probes nothing is heard');
  t.equal(await control.ping(), 'PONG', 'though the server answers');
  await waitFor(() => missed.some((number) => number >= unheard), { ...soon, what: 'what was missed meanwhile' });
  t.match(await telemetry.registry.metrics(), /redis_subscriptions_starved_total\{role="live",.*\} 2\n/);
  t.equal(said.filter((msg) => msg.startsWith('a subscription delivers nothing')).length, 2, 'one line a subscriber');
});

t.test('a stored number that went back is a gap, at once', async (t) => {
  const redis = await ownRedis(t);
  const log = createLogger({ service: 'test', instanceId: 'test-1', level: 'silent' });
  const connections = await connectRedis({
    settings: toSettings({ REDIS_URL: redis.url }, { prefix }),
    role: 'live',
    log,
  });
  t.teardown(() => connections.close());
  const { commands } = connections;
  let gaps = 0;
  let heard = 0;
  const feed = createNumberedFeed({
    name: 'test feed',
    connections,
    partitions: [{ channel, numberKey }],
    onMessage(message) {
      heard = Number(message);
      return heard;
    },
    async onGap() {
      gaps += 1;
      // The first look fails: it has to come again.
      if (gaps === 1) throw new Error('away');
    },
    log,
    checkEveryMs: 20,
    // Nothing is behind for long, so only what went back shows.
    now: () => 0,
  });
  t.teardown(() => feed.close());
  await commands.set(numberKey, 41);
  await feed.start();
  await commands.spublish(channel, String(await commands.incr(numberKey)));
  await waitFor(() => heard === 42, { ...soon, what: 'the message' });
  t.equal(gaps, 0);

  await commands.set(numberKey, 40);
  await waitFor(() => gaps === 1, { ...soon, what: 'the gap' });
  await commands.spublish(channel, String(await commands.incr(numberKey)));
  await waitFor(() => gaps === 2, { ...soon, what: 'another look, since the first one failed' });
});

/** A primary and its replica, and a door that leads new connections to one of them. */
async function startPair(t: Test) {
  const [primary, replica] = [await ownRedis(t), await ownRedis(t)];
  const node = new Redis(replica.url);
  t.teardown(() => node.disconnect());
  await node.replicaof('127.0.0.1', portOf(primary));
  await waitFor(async () => /master_link_status:up/.test(await node.info('replication')), {
    ...soon,
    what: 'the replica in step',
  });
  const door = await startDoor(t, primary);
  return { door, primary, replica, onReplica: <Result>(work: (node: Redis) => Promise<Result>) => work(node) };
}

async function startDoor(t: Test, first: OwnEngine) {
  let behind = first;
  const server = createServer((client) => {
    const upstream = connect(portOf(behind), '127.0.0.1');
    client.pipe(upstream).pipe(client);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return {
    port: (server.address() as { port: number }).port,
    leadTo(engine: OwnEngine) {
      behind = engine;
    },
  };
}

const portOf = ({ url }: OwnEngine): number => Number(new URL(url).port);
