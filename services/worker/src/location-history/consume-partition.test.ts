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
    },
    store: { insert: async (documents) => void stored.push(...documents) },
    raiseDurable: async () => [],
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
