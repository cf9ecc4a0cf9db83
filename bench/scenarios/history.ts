import { deadline } from '@hushryd/platform/mongo/deadline';
import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { declareLocationHistory } from '@hushryd/tracking/history/history-store';
import type { StreamedGroup } from '@hushryd/tracking/history/packed-fixes';
import { type HistoryDocument, toHistoryDocuments } from '@hushryd/tracking/history/to-history-document';
import { createWriteBatch } from '@hushryd/tracking/positions/write-batch';
import type { Db } from 'mongodb';
import { driverId, fixAt, tripId } from '../harness/city.ts';
import { interleave } from '../harness/interleave.ts';
import { type LiveRedis, openLiveRedis, partitions } from '../harness/live-redis.ts';
import { inLanes } from '../harness/load/in-lanes.ts';
import { firstSeq } from '../harness/load/loc-frame.ts';
import { measure } from '../harness/measurement.ts';
import { formatNumber } from '../harness/print-table.ts';
import type { Scenario } from '../harness/scenario.ts';
import { createScope } from '../harness/scope.ts';
import { sleepMs } from '../harness/sleep.ts';
import { createSystem, type System } from '../harness/system.ts';

/** The worker reads 256 entries at once: with two fixes each, as a node writes them at 8,333 fixes/s, a batch is 512 fixes. */
const fixesPerEntry = 2;
const fixesPerBatch = 512;
const batchesPerPartition = 8;
/** The worker's own limit. */
const insertsAtOnce = 4;
const fixCount = partitions * batchesPerPartition * fixesPerBatch;

/**
 * How fast a worker with a backlog moves it into MongoDB: read, decode, insert with majority, acknowledge, raise the durable seqs, trim.
 * The baseline inserts the same documents in batches of the same size, as many at a time, and does nothing else.
 */
export const history: Scenario = {
  name: 'history',
  summary: 'fixes a worker stores in MongoDB, against bare insertMany in the same batches',
  maxSeconds: 240,
  async run(stage) {
    const { scope, engines, progress } = stage;
    const system = await createSystem(stage);
    const live = await openLiveRedis(scope, system.redis);
    const { client, database } = await engines.mongo(scope);
    const drivers = driversByPartition(live);
    const fixesPerSecond = (perSecond: number) => `${formatNumber(perSecond)} fixes/s`;

    const samples = await interleave({
      rounds: stage.rounds,
      progress,
      contenders: {
        ours: () => storeByWorker({ system, live, groups: makeGroups(drivers, Date.now()) }),
        insertMany: (round) => insertBare(client.db(`${database}-${round}`), makeGroups(drivers, Date.now())),
      },
      describe: fixesPerSecond,
    });
    return [
      measure({
        scenario: 'history',
        metric: 'fixes stored with majority',
        unit: '1/s',
        ours: samples.ours,
        baseline: { name: `insertMany of ${fixesPerBatch}`, samples: samples.insertMany },
        limits: [{ ratioAtLeast: 0.8 }],
      }),
    ];
  },
};

/** By partition, its groups in the order in which they are stored: one fix each. */
type Backlog = StreamedGroup[][];

/** As many drivers in each partition, so that all end together. */
function driversByPartition({ keys }: LiveRedis): number[][] {
  const driversPerPartition = 64;
  const drivers: number[][] = Array.from({ length: partitions }, () => []);
  for (let driver = 0; drivers.some((list) => list.length < driversPerPartition); driver += 1) {
    const list = drivers[keys.driverPartition(driverId(driver))] as number[];
    if (list.length < driversPerPartition) list.push(driver);
  }
  return drivers;
}

/** A run of its own each time: what an earlier one stored is no duplicate of it. */
function makeGroups(drivers: readonly number[][], run: number): Backlog {
  return drivers.map((list) =>
    Array.from({ length: batchesPerPartition * fixesPerBatch }, (_, index) => {
      const driver = list[index % list.length] as number;
      const seq = firstSeq + Math.floor(index / list.length);
      const recordedAtMs = run - 60_000 + seq - firstSeq;
      const fix = fixAt({ lat: 41.15 + index / 1e6, lng: -8.61 }, { seq, recordedAtMs });
      return {
        driverId: driverId(driver),
        tripId: tripId(driver),
        run,
        from: firstSeq,
        receivedAtMs: run,
        drops: [],
        fixes: [fix],
      };
    }),
  );
}

async function storeByWorker({
  system,
  live,
  groups,
}: {
  system: System;
  live: LiveRedis;
  groups: Backlog;
}): Promise<number> {
  const write = createWriteBatch({ redis: live.connections.commands, keys: live.keys });
  await Promise.all(
    groups.map(async (list, partition) => {
      for (let at = 0; at < list.length; at += fixesPerEntry)
        await write(partition, list.slice(at, at + fixesPerEntry));
    }),
  );
  const scope = createScope((error) => console.error(error));
  try {
    // Started last: it finds its backlog waiting.
    await system.startWorker(scope);
    return await rateOf(async () => fixCount - (await countStreamed(live)) * fixesPerEntry);
  } finally {
    await scope.close();
  }
}

async function countStreamed({ connections, keys }: LiveRedis): Promise<number> {
  const lengths = await Promise.all(
    Array.from({ length: partitions }, (_, partition) => connections.commands.xlen(keys.fixes(partition))),
  );
  return lengths.reduce((sum, length) => sum + length, 0);
}

async function insertBare(db: Db, groups: Backlog): Promise<number> {
  await ensureCollections(db, [declareLocationHistory({ ttlDays: 90 })]);
  const collection = db.collection<HistoryDocument>('location_history');
  const batches = groups.flatMap((list) =>
    Array.from({ length: batchesPerPartition }, (_, batch) =>
      list.slice(batch * fixesPerBatch, (batch + 1) * fixesPerBatch).flatMap((group) => toHistoryDocuments(group)),
    ),
  );
  let stored = 0;
  const inserting = inLanes(batches, insertsAtOnce, async (documents) => {
    await collection.insertMany(documents, {
      ordered: false,
      writeConcern: { w: 'majority', journal: true },
      ...deadline(30_000),
    });
    stored += documents.length;
  });
  const [perSecond] = await Promise.all([rateOf(async () => stored), inserting]);
  await db.command({ dropDatabase: 1 }, { signal: AbortSignal.timeout(60_000) });
  return perSecond;
}

const lookEveryMs = 10;
const giveUpMs = 60_000;

/** From the first batch that was stored to the last: what comes before is starting. */
async function rateOf(countStored: () => Promise<number>): Promise<number> {
  let first: { stored: number; atMs: number } | undefined;
  for (const untilMs = performance.now() + giveUpMs; performance.now() < untilMs; await sleepMs(lookEveryMs)) {
    const stored = await countStored();
    const atMs = performance.now();
    if (stored > 0) first ??= { stored, atMs };
    if (first !== undefined && stored >= fixCount) return ((stored - first.stored) * 1000) / (atMs - first.atMs);
  }
  throw new Error(`only ${await countStored()} of ${fixCount} fixes were stored within ${giveUpMs / 1000} s`);
}
