import type { Logger } from '@hushryd/platform/logging/logger';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import type { HistoryStore } from '@hushryd/tracking/history/history-store';
import type { StreamedGroup } from '@hushryd/tracking/history/packed-fixes';
import type { MissingFixes, RaiseDurable } from '@hushryd/tracking/history/raise-durable';
import { type HistoryDocument, toHistoryDocuments } from '@hushryd/tracking/history/to-history-document';
import type { FixEntry, FixStream } from './fix-stream.ts';

export interface PartitionConsumer {
  start(): void;
  /** Finish what is being written; what was only read stays pending for whoever comes next. */
  close(): Promise<void>;
}

export interface HistoryMetrics {
  stored: { inc(count: number): void };
  failed: { inc(): void };
  lagSeconds: { observe(seconds: number): void };
}

export function createHistoryMetrics(telemetry: Telemetry): HistoryMetrics {
  return {
    stored: telemetry.counter({
      name: 'history_fixes_stored_total',
      help: 'Fixes acknowledged by MongoDB with majority',
    }),
    failed: telemetry.counter({
      name: 'history_writes_failed_total',
      help: 'History writes that failed and are tried again',
    }),
    lagSeconds: telemetry.histogram({
      name: 'history_lag_seconds',
      help: 'From the arrival of a fix until it is durable',
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60],
    }),
  };
}

/** Of a trip with an open alert, whatever the others may wait for. Source: reliability G9. */
const alertFlushMs = 1_000;
const retryMinMs = 200;
const retryMaxMs = 5000;
/** Far above what a lease may be: by then another worker has the partition, and what was pending is claimed. */
const consumerIdleMs = 60_000;

/**
 * Moves one partition's fixes from the stream into MongoDB: gather for `flushMs` or `flushFixes`, insert, acknowledge, raise the durable
 * seqs, trim. First it takes over what earlier owners left pending.
 *
 * Each step may be repeated without harm, so a failure anywhere means: the same batch again, from the first step that is not known to
 * have succeeded. Nothing is read meanwhile, the stream is the buffer.
 */
export function createPartitionConsumer({
  partition,
  stream,
  store,
  raiseDurable,
  alertOf,
  onStored,
  onMissing,
  settings,
  metrics,
  log,
}: {
  partition: number;
  stream: FixStream;
  store: Pick<HistoryStore, 'insert'>;
  raiseDurable: RaiseDurable;
  /** The open alert that a trip's fixes belong to. */
  alertOf: (tripId: string) => string | undefined;
  onStored: (documents: readonly HistoryDocument[]) => void;
  onMissing: (missing: readonly MissingFixes[]) => Promise<void>;
  settings: { flushMs: number; flushFixes: number; pollMs: number };
  metrics: HistoryMetrics;
  log: Logger;
}): PartitionConsumer {
  const closing = new AbortController();
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    let read = stream.claimPending;
    const gatherNext = async () => {
      try {
        return await gather(read);
      } catch (error) {
        // What was read before the failure, or by a call whose answer was lost, is pending and has to be claimed.
        read = stream.claimPending;
        throw error;
      }
    };
    while (!closing.signal.aborted) {
      const batch = await persistently(gatherNext);
      if (batch === undefined) return;
      if (batch.length > 0) {
        await write(batch);
        continue;
      }
      if (read === stream.claimPending) await forgetConsumers();
      read = stream.readNew;
    }
  }

  /** Only tidies up, so nothing waits for it to succeed. */
  async function forgetConsumers(): Promise<void> {
    try {
      await stream.forgetConsumers(consumerIdleMs);
    } catch (err) {
      log.debug({ err, partition }, 'consumers of workers that are gone stay for now');
    }
  }

  /** Entries of at most `flushMs` or `flushFixes`; pending ones of a predecessor have waited long enough. */
  async function gather(read: () => Promise<FixEntry[]>): Promise<FixEntry[]> {
    const batch: FixEntry[] = [];
    let fixes = 0;
    let flushAtMs = Number.POSITIVE_INFINITY;
    while (!closing.signal.aborted) {
      const entries = await read();
      for (const entry of entries) {
        batch.push(entry);
        for (const { fixes: some } of entry.groups) fixes += some.length;
      }
      const isUrgent = entries.some(({ groups }) => groups.some((group) => alertIdOf(group) !== undefined));
      if (read === stream.claimPending) return batch;
      const nowMs = performance.now();
      const flushMs = isUrgent ? Math.min(alertFlushMs, settings.flushMs) : settings.flushMs;
      if (entries.length > 0) flushAtMs = Math.min(flushAtMs, nowMs + flushMs);
      if (fixes >= settings.flushFixes || nowMs >= flushAtMs) return batch;
      if (entries.length === 0) await pause(Math.min(settings.pollMs, flushAtMs - nowMs), closing.signal);
    }
    return batch;
  }

  function alertIdOf({ tripId }: StreamedGroup): string | undefined {
    return tripId === undefined ? undefined : alertOf(tripId);
  }

  async function write(batch: readonly FixEntry[]): Promise<void> {
    const groups = batch.flatMap((entry) => entry.groups);
    const documents = groups.flatMap((group) => toHistoryDocuments(group, alertIdOf(group)));
    if (!(await isDone(() => store.insert(documents)))) return;
    if (!(await isDone(() => stream.acknowledge(batch.map(({ id }) => id))))) return;
    // Neither waits for the other: a Redis that is full can be trimmed when it takes nothing in.
    const ends = await Promise.all([
      isDone(async () => onMissing(await raiseDurable(partition, groups, Date.now()))),
      isDone(() => stream.trim()),
    ]);
    if (ends.includes(false)) return;
    observe(groups, documents.length);
    onStored(documents);
  }

  function observe(groups: readonly StreamedGroup[], stored: number): void {
    metrics.stored.inc(stored);
    const nowMs = Date.now();
    for (const group of groups) metrics.lagSeconds.observe((nowMs - group.receivedAtMs) / 1000);
  }

  async function isDone(step: () => Promise<unknown>): Promise<boolean> {
    const done = await persistently(async () => {
      await step();
      return true;
    });
    return done === true;
  }

  /** Until it succeeds, or the consumer is closed: then undefined. */
  async function persistently<Result>(operation: () => Promise<Result>): Promise<Result | undefined> {
    for (let retryMs = retryMinMs; ; retryMs = Math.min(2 * retryMs, retryMaxMs)) {
      try {
        return await operation();
      } catch (err) {
        metrics.failed.inc();
        if (retryMs === retryMinMs) log.warn({ err, partition }, 'history cannot be written, trying again');
        if (closing.signal.aborted) return undefined;
        await pause(retryMs, closing.signal);
        if (closing.signal.aborted) return undefined;
      }
    }
  }

  return {
    start() {
      running ??= run();
    },
    async close() {
      closing.abort();
      await running;
    },
  };
}

/** Ends early when the signal fires. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, Math.max(0, ms));
    signal.addEventListener('abort', end);
  });
}
