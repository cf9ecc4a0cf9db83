import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { createFakeClock } from '@hushryd/platform/testing/clock';
import { testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createEventFeed, type TopicMessage } from '@hushryd/platform/topics/event-feed';
import { createRecoverEvents } from '@hushryd/platform/topics/recover-events';
import t, { type Test } from 'tap';
import { createAccessFollower, type OnAccessNews } from '../access-log/access-follower.ts';
import { createAccessLogReader } from '../access-log/access-log.ts';
import { createAccessCache } from './access-cache.ts';
import { fixCountsForTrip, mayWatchDriver, mayWatchTrip } from './access-rules.ts';
import { createAccessPublisher } from './publish-access.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'error' });
const telemetry = createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false });
const settings = (await testRedis(t)).settings({ partitions: 4 });
const connections = await connectRedis({ settings, role: 'live', log });
t.teardown(() => connections.close());
const redis = connections.commands;
const keys = createKeys(settings);
const publisher = createAccessPublisher({ redis, keys });
const within = { withinMs: 10_000 };

const accessOf = (tripId: string, changes: Partial<TripAccess> = {}): TripAccess => ({
  tripId,
  version: 1,
  state: 'active',
  driverId: 'driver',
  passengerIds: ['rider'],
  startedAtMs: 1000,
  ...changes,
});

async function startCache(t: Test, resolve: (ids: string[]) => Promise<TripAccess[]> = async () => []) {
  const changes: TripAccess[] = [];
  const asked: string[][] = [];
  const follower = createAccessFollower({ redis, keys, log, readEveryMs: 20 });
  const cache = createAccessCache({
    connections,
    keys,
    follower,
    resolve: (ids) => {
      asked.push(ids);
      return resolve(ids);
    },
    onChange: (access) => changes.push(access),
    log,
    telemetry,
  });
  t.teardown(() => follower.close());
  await follower.start();
  return { cache, changes, asked };
}

t.test('records come from Redis, what it does not have from the truth, gathered into one question', async (t) => {
  await publisher.publish({ access: accessOf('in-redis') });
  const { cache, asked } = await startCache(t, async (ids) =>
    ids.filter((id) => id !== 'nowhere').map((id) => accessOf(id)),
  );
  const loaded = await Promise.all(['in-redis', 'lost-1', 'lost-2', 'nowhere', 'lost-1'].map((id) => cache.load(id)));
  t.strictSame(
    loaded.map((access) => access?.tripId),
    ['in-redis', 'lost-1', 'lost-2', undefined, 'lost-1'],
  );
  // On a cluster their partitions answer in an order of their own.
  t.strictSame(
    asked.map((ids) => [...ids].sort()),
    [['lost-1', 'lost-2', 'nowhere']],
  );
  t.equal(await cache.load('nowhere'), null);
  t.equal(asked.length, 1, 'an unknown trip is remembered');
  t.equal(cache.peek('lost-1')?.tripId, 'lost-1');
});

t.test('no answer is not an answer', async (t) => {
  const { cache } = await startCache(t, () => Promise.reject(new Error('away')));
  await t.rejects(cache.load('unreachable'), { code: 'access_unavailable' });
});

t.test('a change anywhere is felt here: watched trips are renewed and told of, others forgotten', async (t) => {
  await publisher.publish({ access: accessOf('watched') });
  await publisher.publish({ access: accessOf('unwatched') });
  const { cache, changes } = await startCache(t);
  await Promise.all([cache.load('watched'), cache.load('unwatched')]);
  cache.watch('watched');

  await publisher.publish({ access: accessOf('unwatched', { version: 2, passengerIds: [] }) });
  await publisher.publish({ access: accessOf('watched', { version: 2, state: 'ended' }) });
  await waitFor(() => changes.length > 0, { ...within, what: 'the change' });
  t.match(changes, [{ tripId: 'watched', version: 2, state: 'ended' }]);
  await waitFor(() => cache.peek('unwatched') === undefined, { ...within, what: 'forgetting' });
  t.equal((await cache.load('unwatched'))?.version, 2);
});

t.test('an older version changes nothing and announces nothing', async (t) => {
  t.equal((await publisher.publish({ access: accessOf('versioned', { version: 5 }) })).applied, true);
  t.equal((await publisher.publish({ access: accessOf('versioned', { version: 5 }) })).applied, false);
  t.equal(
    (await publisher.publish({ access: accessOf('versioned', { version: 4, state: 'planned' }) })).applied,
    false,
  );
  const { cache } = await startCache(t);
  t.match(await cache.load('versioned'), { version: 5, state: 'active' });
});

t.test('a log that lost our place means reading everything watched again', async (t) => {
  await publisher.publish({ access: accessOf('kept') });
  const { cache, changes } = await startCache(t);
  await cache.load('kept');
  cache.watch('kept');
  // A failover onto an empty server: the log is gone, the record is there again in a newer version that nobody announced.
  const t0 = keys.topicPartition('trip:kept');
  await redis.del(keys.accessLog(t0), keys.accessLogNumber(t0));
  await redis.set(keys.tripAccess('kept'), JSON.stringify(accessOf('kept', { version: 2, passengerIds: [] })));
  await waitFor(() => changes.some(({ version }) => version === 2), { ...within, what: 'the record read again' });
});

t.test(
  'a change is felt although another partition does not answer, and although it cannot be loaded at once',
  async (t) => {
    const partitionOf = (tripId: string) => keys.topicPartition(`trip:${tripId}`);
    const other = ['a', 'b', 'c', 'd', 'e', 'f'].find(
      (tripId) => partitionOf(tripId) !== partitionOf('expelled'),
    ) as string;
    await publisher.publish({ access: accessOf('expelled') });
    const faults = { channel: keys.accessLog(partitionOf(other)), records: false };
    const commands = new Proxy(redis, {
      get(target, name) {
        const value = Reflect.get(target, name, target) as unknown;
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          const isFaulty = args[0] === faults.channel || (faults.records && args[0] === keys.tripAccess('expelled'));
          return isFaulty ? Promise.reject(new Error('away')) : value.apply(target, args);
        };
      },
    });
    const changes: TripAccess[] = [];
    let refusals = 0;
    const silent = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
    const follower = createAccessFollower({ redis: commands, keys, log: silent, readEveryMs: 20 });
    const cache = createAccessCache({
      connections: { ...connections, commands },
      keys,
      follower,
      resolve: async () => {
        refusals += 1;
        throw new Error('away');
      },
      onChange: (access) => changes.push(access),
      log: silent,
      telemetry,
    });
    t.teardown(() => follower.close());
    faults.channel = '';
    await follower.start();
    await cache.load('expelled');
    cache.watch('expelled');

    faults.channel = keys.accessLog(partitionOf(other));
    faults.records = true;
    await publisher.publish({ access: accessOf('expelled', { version: 2, passengerIds: [] }) });
    await waitFor(() => refusals > 1, { ...within, what: 'a second try' });
    t.equal(cache.peek('expelled'), undefined, 'the old record serves nobody');
    faults.records = false;
    await waitFor(() => changes.some(({ version }) => version === 2), { ...within, what: 'the change' });
  },
);

t.test('what was learned while Redis was away from the start is learned anew once it has come', async (t) => {
  let isAway = true;
  const commands = new Proxy(redis, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as unknown;
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => (isAway ? Promise.reject(new Error('away')) : value.apply(target, args));
    },
  });
  const follower = createAccessFollower({ redis: commands, keys, log, readEveryMs: 20 });
  const cache = createAccessCache({
    connections: { ...connections, commands },
    keys,
    follower,
    resolve: async (ids) => ids.map((id) => accessOf(id)),
    log,
    telemetry,
  });
  t.teardown(() => follower.close());
  await t.rejects(follower.start(), /away/);
  t.match(await cache.load('early'), { version: 1 }, 'from the truth');

  // The entry of it stands before the place where the first look begins.
  await publisher.publish({ access: accessOf('early', { version: 2, passengerIds: [] }) });
  isAway = false;
  await follower.start();

  t.equal(cache.peek('early'), undefined, 'the old record serves nobody');
  t.match(await cache.load('early'), { version: 2, passengerIds: [] });
});

t.test('what Redis has counts for nothing while nobody can write there', async (t) => {
  const partition = keys.topicPartition('trip:stuck');
  await publisher.publish({ access: accessOf('stuck') });
  await redis.set(keys.accessLogBeat(partition), 1);
  t.teardown(() => redis.del(keys.accessLogBeat(partition)));
  const clock = createFakeClock(Date.now());
  let tell: () => Promise<unknown> = async () => undefined;
  const reader = createAccessLogReader({ redis, keys, now: clock.now });
  const changes: TripAccess[] = [];
  let questions = 0;
  const cache = createAccessCache({
    connections,
    keys,
    follower: { follow: (onNews) => (tell = async () => onNews(await reader.read(), clock.now())) },
    resolve: async () => {
      questions += 1;
      return [accessOf('stuck', { version: 2, passengerIds: [] })];
    },
    onChange: (access) => changes.push(access),
    log,
    telemetry,
    now: clock.now,
  });
  await tell();
  t.equal((await cache.load('stuck'))?.version, 1);
  cache.watch('stuck');

  clock.advance(5_001);
  await tell();
  t.strictSame(
    changes.map(({ version }) => version),
    [2],
    'Redis was never told of it',
  );
  t.equal((await cache.load('stuck'))?.version, 2);
  t.equal(questions, 1, 'an answer is good for two seconds');
  clock.advance(2_001);
  await cache.load('stuck');
  t.equal(questions, 2);

  await redis.set(keys.accessLogBeat(partition), 2);
  await tell();
  clock.advance(2_001);
  await cache.load('stuck');
  t.equal(questions, 2, 'with the beat all is as before');
});

t.test('an answer from before a change never takes the place of the change', async (t) => {
  let answer: (records: TripAccess[]) => void = () => undefined;
  const answers = [new Promise<TripAccess[]>((resolve) => (answer = resolve))];
  const { cache, asked } = await startCache(
    t,
    (ids) => answers.shift() ?? Promise.resolve(ids.map((id) => accessOf(id, { version: 2 }))),
  );
  const loading = cache.load('slow');
  await waitFor(() => asked.length === 1, { ...within, what: 'the question' });
  await publisher.publish({ access: accessOf('slow', { version: 2, passengerIds: [] }) });
  cache.watch('slow');
  await waitFor(() => cache.peek('slow')?.version === 2, { ...within, what: 'the change' });
  answer([accessOf('slow')]);
  t.equal((await loading)?.version, 2);
  t.equal(cache.peek('slow')?.version, 2);
});

t.test('events of a topic arrive in order, with epoch and offset', async (t) => {
  const received: TopicMessage[] = [];
  const feed = createEventFeed({
    connections,
    keys,
    wants: (topic) => topic === 'trip:eventful',
    onEvent: (message) => received.push(message),
    log,
    telemetry,
  });
  t.teardown(() => feed.close());
  await feed.start();
  const event = (version: number) => ({
    name: 'trip.started' as const,
    tripId: 'eventful',
    at: new Date(0).toISOString(),
    version,
  });
  for (const version of [1, 2, 3]) {
    await publisher.publish({ access: accessOf('eventful', { version }), event: event(version) });
    await publisher.publish({ access: accessOf(`other-${version}`), event: event(version) });
  }
  await waitFor(() => received.length === 3, { ...within, what: 'three events' });
  t.strictSame(
    received.map(({ offset, event }) => [offset, (event as { version: number }).version]),
    [
      [1, 1],
      [2, 2],
      [3, 3],
    ],
  );
  const head = await feed.head('trip:eventful');
  t.strictSame(head, { epoch: received[0]?.epoch, offset: 3 });
  t.equal(await feed.head('trip:silent'), null);
});

t.test(
  'a change that was never announced leaves a gap in the topic, by itself and before the next event',
  async (t) => {
    const recoverEvents = createRecoverEvents({ redis, keys });
    const topic = 'trip:unannounced';
    const event = (version: number) => ({
      name: 'trip.passengers_changed' as const,
      tripId: 'unannounced',
      at: new Date(0).toISOString(),
      version,
    });
    const { head } = await publisher.publish({ access: accessOf('unannounced'), event: event(1) });
    if (head === undefined) throw new Error('no head');
    t.match(await recoverEvents(topic, head), { recovered: true, messages: [] });

    // Redis was away when the trip changed; the worker puts the record back.
    t.equal(await publisher.republish([{ access: accessOf('unannounced', { version: 2 }) }]), 1);
    t.strictSame(await recoverEvents(topic, head), { recovered: false, head: { ...head, offset: 2 } });
    t.equal(await publisher.republish([{ access: accessOf('unannounced', { version: 2 }) }]), 0);

    // An idle topic's log is forgotten before its record.
    await redis.del(keys.topicHead(topic), keys.topicEvents(topic));
    await publisher.republish([{ access: accessOf('unannounced', { version: 3 }) }]);
    const another = await recoverEvents(topic, { ...head, offset: 2 });
    if (another.recovered || another.head === undefined) throw new Error('no gap');
    t.not(another.head.epoch, head.epoch);

    // It changed twice, and only the second change was announced.
    const announced = await publisher.publish({ access: accessOf('unannounced', { version: 5 }), event: event(5) });
    t.strictSame(announced.head, { ...another.head, offset: 3 });
    t.match(await recoverEvents(topic, another.head), { recovered: false });
    t.match(await recoverEvents(topic, { ...another.head, offset: 2 }), { recovered: true, messages: [{ offset: 3 }] });
  },
);

t.test('whoever announces a change first, its event is in the log once', async (t) => {
  const recoverEvents = createRecoverEvents({ redis, keys });
  const topic = 'trip:raced';
  const change = (version: number) => ({
    access: accessOf('raced', { version }),
    event: { name: 'trip.passengers_changed' as const, tripId: 'raced', at: new Date(0).toISOString(), version },
  });
  const { head } = await publisher.publish(change(1));
  if (head === undefined) throw new Error('no head');
  t.equal(await publisher.republish([change(2)]), 1, 'the worker, before the api');
  t.match(await publisher.publish(change(2)), { applied: false });
  t.match(await recoverEvents(topic, head), { recovered: true, messages: [{ offset: 2, event: { version: 2 } }] });

  // Redis was emptied: who watches is told to begin again, and not of the same change once more.
  await redis.del(keys.topicHead(topic), keys.topicEvents(topic), keys.tripAccess('raced'));
  t.equal(await publisher.republish([change(2)]), 1);
  t.equal(await redis.exists(keys.topicEvents(topic)), 0);
  t.match(await recoverEvents(topic, { ...head, offset: 2 }), { recovered: false });
});

t.test('who may watch a trip', async (t) => {
  const identity = (role: 'driver' | 'rider' | 'operator', userId: string) => ({
    userId,
    role,
    tokenId: 'x',
    issuedAtMs: 1,
    expiresAtMs: 1,
    audience: role === 'operator' ? ('admin' as const) : ('user' as const),
  });
  const active = accessOf('x');
  const ended = accessOf('x', { state: 'ended' });
  const table: [string, boolean, boolean][] = [
    ['its driver', mayWatchTrip(identity('driver', 'driver'), active), true],
    ['its passenger', mayWatchTrip(identity('rider', 'rider'), active), true],
    ['an operator', mayWatchTrip(identity('operator', 'op'), active), true],
    ['another driver', mayWatchTrip(identity('driver', 'another'), active), false],
    ['another rider', mayWatchTrip(identity('rider', 'another'), active), false],
    ['a rider with the id of the driver', mayWatchTrip(identity('rider', 'driver'), active), false],
    ['a driver with the id of the passenger', mayWatchTrip(identity('driver', 'rider'), active), false],
    ['its passenger after the end', mayWatchTrip(identity('rider', 'rider'), ended), false],
    ['an operator after the end', mayWatchTrip(identity('operator', 'op'), ended), true],
    ['the driver himself', mayWatchDriver(identity('driver', 'd'), 'd'), true],
    ['a rider a driver', mayWatchDriver(identity('rider', 'd'), 'd'), false],
  ];
  for (const [who, may, expected] of table) t.equal(may, expected, who);
});

t.test('a fix counts for a trip of its driver, from 30 s before the start to 30 s after the end', async (t) => {
  const access = accessOf('x', { startedAtMs: 100_000, endedAtMs: 200_000 });
  const counts = (recordedAtMs: number, driverId = 'driver', record = access) =>
    fixCountsForTrip({ access: record, driverId, recordedAtMs });
  t.equal(counts(70_000), true);
  t.equal(counts(69_999), false);
  t.equal(counts(230_000), true);
  t.equal(counts(230_001), false);
  t.equal(counts(150_000, 'another'), false);
  const { startedAtMs: _, ...planned } = access;
  t.equal(counts(150_000, 'driver', planned), false);
});

t.test('whoever says that a trip is under way is not told by a record from before its start', async (t) => {
  const { startedAtMs: _, ...planned } = accessOf('begins');
  await publisher.publish({ access: { ...planned, state: 'planned' } });
  // Nothing of the log is read after this.
  let tell: OnAccessNews = () => undefined;
  const follower = {
    follow(onNews: OnAccessNews) {
      tell = onNews;
    },
  };
  const cache = createAccessCache({ connections, keys, follower, resolve: async () => [], log, telemetry });
  const noNews = { tripIds: [], userIds: [], endOrders: [], lostPartitions: [] };
  await tell({ ...noNews, silentPartitions: new Set(), failures: new Map() }, Date.now());
  t.match(await cache.load('begins'), { version: 1 });

  await publisher.publish({ access: accessOf('begins', { version: 2 }) });
  t.match(cache.peek('begins'), { version: 1 }, 'it cannot know better yet');
  t.match(await cache.load('begins'), { version: 1 });
  t.match(await cache.loadStarted('begins'), { version: 2, startedAtMs: 1000 });
  t.match(cache.peek('begins'), { version: 2 });
  t.match(await cache.loadStarted('begins'), { version: 2 });
});
