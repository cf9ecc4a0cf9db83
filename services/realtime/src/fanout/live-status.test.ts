import { createLogger } from '@hushryd/platform/logging/create-logger';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { type Away, createLiveStatus, isLiveIn } from './live-status.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });

t.test('a partition is away while it is not written or does not answer, and only its drivers hear of it', async (t) => {
  const told: Away[] = [];
  let silent: Away | Error = new Set();
  const status = createLiveStatus({
    partitions: 3,
    findAway: async () => {
      if (silent instanceof Error) throw silent;
      return silent;
    },
    onChange: (_, now) => told.push(now),
    log,
  });
  t.teardown(() => status.close());
  status.start();

  status.onPartition(1, false);
  status.onPartition(1, false);
  t.strictSame(told, [new Set([1])], 'told once');
  t.notOk(status.isLive(1), 'its own drivers');
  t.notOk(status.isLive(undefined), 'whoever watches any');
  t.ok(status.isLive(2), 'not those of others');

  silent = new Set([1, 2]);
  await waitFor(() => !status.isLive(2), { withinMs: 10_000, what: 'a partition that does not answer' });
  status.onPartition(1, true);
  t.notOk(status.isLive(1), 'both have to work again');

  silent = new Error('away');
  await waitFor(() => !status.isLive(0), { withinMs: 10_000, what: 'a Redis that does not answer at all' });
  silent = new Set();
  await waitFor(() => status.isLive(undefined), { withinMs: 10_000, what: 'all of it back' });
  t.strictSame(told.at(-1), new Set());
});

t.test('who is told of a change', async (t) => {
  const cases = [0, 1, undefined].map((partition) => isLiveIn(new Set([1]), partition));
  t.strictSame(cases, [true, false, false]);
});
