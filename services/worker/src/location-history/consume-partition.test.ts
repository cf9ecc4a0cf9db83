import { createLogger } from '@hushryd/platform/logging/create-logger';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import type { HistoryDocument } from '@hushryd/tracking/history/to-history-document';
import t from 'tap';
import { createHistoryMetrics, createPartitionConsumer } from './consume-partition.ts';
import type { FixEntry } from './fix-stream.ts';

const entryOf = (seq: number): FixEntry => ({
  id: `${seq}-0`,
  groups: [
    {
      driverId: 'driver',
      run: 1,
      from: 1,
      receivedAtMs: 0,
      drops: [],
      fixes: [{ seq, recordedAtMs: seq, lat: 41, lng: -8, live: true }],
    },
  ],
});

t.test('what was read before a read failed is claimed and stored, not left pending', async (t) => {
  const unread = [entryOf(1), entryOf(2)];
  const pending = new Map<string, FixEntry>();
  const stored: HistoryDocument[] = [];
  let reads = 0;
  const consumer = createPartitionConsumer({
    partition: 0,
    stream: {
      claimPending: async () => [...pending.values()],
      readNew: async () => {
        reads += 1;
        const entry = unread.shift();
        if (entry !== undefined) pending.set(entry.id, entry);
        // The second answer is lost on its way: the server has handed the entry out all the same.
        if (reads === 2) throw new Error('away');
        return entry === undefined ? [] : [entry];
      },
      acknowledge: async (ids) => {
        for (const id of ids) pending.delete(id);
      },
      trim: async () => undefined,
      bytes: async () => 0,
      forgetConsumers: async () => undefined,
    },
    store: { insert: async (documents) => void stored.push(...documents) },
    raiseDurable: async () => [],
    alertOf: () => undefined,
    onStored: () => undefined,
    onMissing: async () => undefined,
    settings: { flushMs: 5000, flushFixes: 2, pollMs: 1 },
    metrics: createHistoryMetrics(createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false })),
    log: createLogger({ service: 'test', instanceId: 'test', level: 'silent' }),
  });
  t.teardown(() => consumer.close());
  consumer.start();
  await waitFor(() => stored.length === 2, { withinMs: 10_000, what: 'both fixes' });
  t.strictSame(
    stored.map(({ seq }) => seq),
    [1, 2],
  );
  await waitFor(() => pending.size === 0, { withinMs: 10_000, what: 'both acknowledgements' });
});

t.test('the stream is trimmed also while the durable seq cannot be raised', async (t) => {
  const unread = [entryOf(1)];
  let trims = 0;
  let refusals = 0;
  const consumer = createPartitionConsumer({
    partition: 0,
    stream: {
      claimPending: async () => [],
      readNew: async () => unread.splice(0),
      acknowledge: async () => undefined,
      trim: async () => {
        trims += 1;
      },
      bytes: async () => 0,
      forgetConsumers: async () => undefined,
    },
    store: { insert: async () => undefined },
    raiseDurable: async () => {
      refusals += 1;
      throw new Error('OOM command not allowed');
    },
    alertOf: () => undefined,
    onStored: () => undefined,
    onMissing: async () => undefined,
    settings: { flushMs: 1, flushFixes: 1, pollMs: 1 },
    metrics: createHistoryMetrics(createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false })),
    log: createLogger({ service: 'test', instanceId: 'test', level: 'silent' }),
  });
  t.teardown(() => consumer.close());
  consumer.start();

  await waitFor(() => refusals > 0 && trims > 0, { withinMs: 5000, what: 'trimming' });
  t.equal(trims, 1);
});

t.test('fixes of a trip with an open alert are marked, and do not wait with the others', async (t) => {
  const [plain, onTrip] = [entryOf(1), entryOf(2)];
  const unread = [plain, { ...onTrip, groups: onTrip.groups.map((group) => ({ ...group, tripId: 'trip' })) }];
  const stored: HistoryDocument[] = [];
  const consumer = createPartitionConsumer({
    partition: 0,
    stream: {
      claimPending: async () => [],
      readNew: async () => unread.splice(0, 1),
      acknowledge: async () => undefined,
      trim: async () => undefined,
      bytes: async () => 0,
      forgetConsumers: async () => undefined,
    },
    store: { insert: async (documents) => void stored.push(...documents) },
    raiseDurable: async () => [],
    alertOf: (tripId) => (tripId === 'trip' ? 'alert' : undefined),
    onStored: () => undefined,
    onMissing: async () => undefined,
    settings: { flushMs: 600_000, flushFixes: 1_000, pollMs: 1 },
    metrics: createHistoryMetrics(createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false })),
    log: createLogger({ service: 'test', instanceId: 'test', level: 'silent' }),
  });
  t.teardown(() => consumer.close());
  consumer.start();

  await waitFor(() => stored.length === 2, { withinMs: 10_000, what: 'both fixes' });
  t.same(
    stored.map(({ meta }) => meta),
    [{ driverId: 'driver' }, { driverId: 'driver', tripId: 'trip', alertId: 'alert' }],
  );
});
