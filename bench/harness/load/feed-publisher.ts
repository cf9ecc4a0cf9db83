import { createWriteBatch, type FixGroup } from '@hushryd/tracking/positions/write-batch';
import { driverId, fixAt, tripId } from '../city.ts';
import { openLiveRedis, partitions } from '../live-redis.ts';
import { serveCommands } from '../processes/serve-commands.ts';
import { createScope } from '../scope.ts';
import { firstSeq } from './loc-frame.ts';
import { type Pace, startPace } from './pace.ts';

/**
 * Plays the other realtime nodes: writes drivers' fixes into Redis by the product's own script, whose feed the measured node hears. One
 * call a partition at a time, as the batcher does.
 */
const scope = createScope((error) => console.error(error));
const waiting: FixGroup[][] = Array.from({ length: partitions }, () => []);
const isBusy: boolean[] = waiting.map(() => false);
const maxGroupsPerCall = 250;
/** A server that cannot follow gets no longer a queue than this; the figures show what it did take. */
const maxWaiting = 2_000;

let write: ReturnType<typeof createWriteBatch> | undefined;
let partitionOf: ((driver: string) => number) | undefined;
let pace: Pace | undefined;
let seq = firstSeq;
let nextDriver = 0;
let written = 0;

async function flush(partition: number): Promise<void> {
  const lane = waiting[partition] as FixGroup[];
  if (isBusy[partition] || lane.length === 0) return;
  isBusy[partition] = true;
  try {
    while (lane.length > 0) {
      const groups = lane.splice(0, maxGroupsPerCall);
      await write?.(partition, groups);
      written += groups.length;
    }
  } finally {
    isBusy[partition] = false;
  }
}

interface PublishInput {
  readonly firstDriver?: number;
  readonly drivers: number;
  readonly perSecond: number;
  readonly run: number;
}

const commands = {
  async connect(input: { url: string; prefix: string }): Promise<void> {
    const { connections, keys } = await openLiveRedis(scope, input);
    write = createWriteBatch({ redis: connections.commands, keys });
    partitionOf = (driver) => keys.driverPartition(driver);
  },
  /** Move `drivers` from number `firstDriver` on, each in turn, so many positions a second in all. */
  publish({ firstDriver = 0, drivers, perSecond, run }: PublishInput): void {
    pace?.stop();
    pace = startPace({ perSecond, maxPerTurn: 500 }, (count) => {
      const nowMs = Date.now();
      for (let added = 0; added < count; added += 1) {
        const number = firstDriver + nextDriver;
        const driver = driverId(number);
        const lane = waiting[partitionOf?.(driver) ?? 0] as FixGroup[];
        if (lane.length < maxWaiting) {
          const fix = fixAt({ lat: 41.15 + (seq % 10_000) / 1e6, lng: -8.612345 }, { seq, recordedAtMs: nowMs });
          const group = {
            driverId: driver,
            tripId: tripId(number),
            run,
            from: firstSeq,
            drops: [],
            receivedAtMs: nowMs,
          };
          lane.push({ ...group, fixes: [fix] });
        }
        nextDriver = (nextDriver + 1) % drivers;
        if (nextDriver === 0) seq += 1;
      }
      for (let partition = 0; partition < partitions; partition += 1) void flush(partition);
    });
  },
  stop: () => pace?.stop(),
  written: () => written,
};

export type FeedPublisherCommands = typeof commands;

serveCommands(commands);
