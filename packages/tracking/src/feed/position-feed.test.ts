import type { Position } from '@hushryd/contracts/fix';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { createSilentExpiry } from '../positions/expire-silent.ts';
import { createWriteBatch } from '../positions/write-batch.ts';
import { createLivePositions } from './live-positions.ts';
import { createPositionFeed } from './position-feed.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'error' });
const telemetry = createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false });
const settings = (await testRedis(t)).settings({ partitions: 2 });
const connections = await connectRedis({ settings, role: 'live', log });
t.teardown(() => connections.close());
const redis = connections.commands;
const keys = createKeys(settings);
const writeBatch = createWriteBatch({ redis, keys });
const within = { withinMs: 10_000 };

const move = (driverId: string, seq: number, recordedAtMs = Date.now()) =>
  writeBatch(keys.driverPartition(driverId), [
    {
      driverId,
      run: 1,
      from: 1,
      drops: [],
      receivedAtMs: Date.now(),
      fixes: [{ seq, recordedAtMs, lat: 41, lng: -8, live: true }],
    },
  ]);

/** Every message but those of `deafTo` arrives: what a node sees whose connection was away for a moment. */
function deafConnections() {
  const deafTo = { channels: new Set<string>() };
  return {
    deafTo,
    connections: {
      ...connections,
      subscriber() {
        const subscriber = connections.subscriber();
        const emit = subscriber.emit.bind(subscriber);
        subscriber.emit = (event: string, ...args: unknown[]) =>
          event === 'smessageBuffer' && deafTo.channels.has(String(args[0])) ? true : emit(event, ...args);
        return subscriber;
      },
    },
  };
}

function createRecorder(drivers: readonly string[]) {
  const heard = new Map<string, number>();
  const gone = new Set<string>();
  return {
    heard,
    gone,
    sink: {
      wants: (driverId: string) => drivers.includes(driverId),
      onPosition: ({ driverId, seq }: Position) => void heard.set(driverId, seq),
      onGone: (driverId: string) => void gone.add(driverId),
    },
  };
}

t.test('positions arrive as they move, and only of drivers that are wanted', async (t) => {
  const { heard, sink } = createRecorder(['anna']);
  const feed = createPositionFeed({
    connections,
    keys,
    sink,
    scope: { kind: 'watched', drivers: () => ['anna'] },
    log,
    telemetry,
  });
  t.teardown(() => feed.close());
  await feed.start();
  await move('berta', 1);
  await move('anna', 5);
  await waitFor(() => heard.get('anna') === 5, { ...within, what: "anna's position" });
  t.notOk(heard.has('berta'));
});

t.test('a missed message is noticed by the next one, and what it said is read again', async (t) => {
  const partition = keys.driverPartition('carla');
  const neighbour = ['dora', 'erna', 'frida', 'gerda', 'hilde', 'irma'].find(
    (id) => keys.driverPartition(id) === partition,
  ) as string;
  const { connections: deaf, deafTo } = deafConnections();
  const { heard, sink } = createRecorder(['carla']);
  const feed = createPositionFeed({
    connections: deaf,
    keys,
    sink,
    scope: { kind: 'watched', drivers: () => ['carla'] },
    log,
    telemetry,
  });
  t.teardown(() => feed.close());
  await feed.start();
  await move('carla', 1);
  await waitFor(() => heard.get('carla') === 1, { ...within, what: 'the first position' });

  deafTo.channels.add(keys.positionFeed(partition));
  await move('carla', 2);
  await redis.ping();
  deafTo.channels.clear();
  await move(neighbour, 1);
  await waitFor(() => heard.get('carla') === 2, { ...within, what: 'the missed position' });
});

t.test('a feed that starves without an error is noticed by the stored number', async (t) => {
  const { connections: deaf, deafTo } = deafConnections();
  const { heard, gone, sink } = createRecorder(['lisa', 'mona']);
  const feed = createPositionFeed({
    connections: deaf,
    keys,
    sink,
    scope: { kind: 'watched', drivers: (p) => ['lisa', 'mona'].filter((id) => keys.driverPartition(id) === p) },
    log,
    telemetry,
    checkEveryMs: 50,
  });
  t.teardown(() => feed.close());
  await move('mona', 1, Date.now() - 60_000);
  await feed.start();
  deafTo.channels = new Set([keys.positionFeed(0), keys.positionFeed(1)]);
  await move('lisa', 1);
  const expiry = createSilentExpiry({ redis, keys });
  await expiry.expirePartition(keys.driverPartition('mona'), { silentForMs: 30_000, nowMs: Date.now() });

  await waitFor(() => heard.get('lisa') === 1, { ...within, what: 'the position nobody announced' });
  await waitFor(() => gone.has('mona'), { ...within, what: 'the removal nobody announced' });
});

t.test('live positions have what was there before, what moves, and forget who fell silent', async (t) => {
  await move('nina', 1);
  await move('old', 1, Date.now() - 400_000);
  const live = createLivePositions({ connections, keys, log, telemetry });
  t.teardown(() => live.close());
  const changes: [string, number | undefined][] = [];
  await live.start();
  t.equal(live.get('nina')?.seq, 1);
  live.onChange((driverId, position) => changes.push([driverId, position?.seq]));

  await move('nina', 3);
  await waitFor(() => live.get('nina')?.seq === 3, { ...within, what: 'the move' });
  await move('nina', 2);
  const expiry = createSilentExpiry({ redis, keys });
  await expiry.expirePartition(keys.driverPartition('nina'), { silentForMs: -60_000, nowMs: Date.now() });
  await waitFor(() => live.get('nina') === undefined, { ...within, what: 'the removal' });
  t.strictSame(
    changes.filter(([driverId]) => driverId === 'nina'),
    [
      ['nina', 3],
      ['nina', undefined],
    ],
  );
});
