import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { within } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { createFixBatcher } from './fix-batcher.ts';
import type { FixGroup, GroupResult, WriteBatch } from './positions/write-batch.ts';

const soon = { withinMs: 10_000 };

const groupOf = (driverId: string, seq: number): FixGroup => ({
  driverId,
  run: 1,
  from: 1,
  fixes: [{ seq, recordedAtMs: seq, lat: 41, lng: -8, live: true }],
  drops: [],
  receivedAtMs: seq,
});

interface Call {
  partition: number;
  seqs: number[];
  succeed(): void;
  fail(): void;
}

/** A batcher over a writer whose calls the test ends one by one. Drivers `a…` lie in partition 0, others in 1. */
function createTestBatcher({
  pauseMs = 0,
  ...settings
}: {
  maxPendingFixes?: number;
  maxFixes?: number;
  maxDelayMs?: number;
  pauseMs?: number;
} = {}) {
  const calls: Call[] = [];
  const arrivals: ((call: Call) => void)[] = [];
  const states: string[] = [];
  const write: WriteBatch = (partition, groups) =>
    new Promise((resolve, reject) => {
      const results = groups.map((): GroupResult => ({ moved: true, durableSeq: 0 }));
      const call: Call = {
        partition,
        seqs: groups.map(({ fixes }) => fixes[0]?.seq ?? 0),
        succeed: () => resolve(results),
        fail: () => reject(new Error('away')),
      };
      calls.push(call);
      arrivals.shift()?.(call);
    });
  const batcher = createFixBatcher({
    write,
    partitionOf: (driverId) => (driverId.startsWith('a') ? 0 : 1),
    settings: { maxDelayMs: 5, maxFixes: 1000, maxPendingFixes: 1000, ...settings },
    telemetry: createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false }),
    onDegraded: () => states.push('degraded'),
    onRestored: () => states.push('restored'),
    pace: { pauseMs, wrote: () => undefined },
  });
  let seen = 0;
  const nextCall = () => {
    seen += 1;
    const there = calls[seen - 1];
    const call = there ? Promise.resolve(there) : new Promise<Call>((resolve) => arrivals.push(resolve));
    return within(call, { ...soon, what: 'the next call' });
  };
  return { batcher, calls, states, nextCall };
}

t.test('an idle batcher writes at once; what comes meanwhile becomes the next batch', async (t) => {
  const { batcher, nextCall } = createTestBatcher();
  const first = batcher.add(groupOf('anna', 1));
  const call = await nextCall();
  t.strictSame(call.seqs, [1]);
  const later = [2, 3, 4].map((seq) => batcher.add(groupOf('anna', seq)));
  call.succeed();
  t.match(await first, { moved: true });
  const next = await nextCall();
  t.strictSame(next.seqs, [2, 3, 4]);
  next.succeed();
  await Promise.all(later);
  t.equal(batcher.pendingFixes, 0);
});

t.test('while other nodes write much, fixes gather after a flush; an idle batcher still writes at once', async (t) => {
  const { batcher, calls, nextCall } = createTestBatcher({ pauseMs: 50, maxDelayMs: 1000 });
  const first = batcher.add(groupOf('anna', 1));
  (await nextCall()).succeed();
  await first;
  const later = [batcher.add(groupOf('anna', 2))];
  for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
  t.equal(calls.length, 1, 'control: without the pause it would have gone');
  later.push(batcher.add(groupOf('anna', 3)));
  const next = await nextCall();
  t.strictSame(next.seqs, [2, 3]);
  later.push(batcher.add(groupOf('anna', 4)));
  next.succeed();
  const last = await nextCall();
  t.strictSame(last.seqs, [4], 'what came while a call was under way waits its time, and no longer');
  last.succeed();
  await Promise.all(later);
});

t.test('a slow partition holds up no other longer than the delay, and never has two calls at once', async (t) => {
  const { batcher, nextCall, calls } = createTestBatcher();
  batcher.add(groupOf('anna', 1)).catch(() => undefined);
  const slow = await nextCall();
  const other = batcher.add(groupOf('berta', 1));
  const behind = batcher.add(groupOf('anna', 2));
  const quick = await nextCall();
  t.equal(quick.partition, 1, 'the other partition goes ahead');
  quick.succeed();
  await other;
  t.equal(calls.length, 2, 'the slow one waits for its own call');
  slow.succeed();
  const next = await nextCall();
  t.strictSame([next.partition, next.seqs], [0, [2]]);
  next.succeed();
  await behind;
});

t.test(
  'what failed is offered again in order, before what came later, and nobody is acknowledged meanwhile',
  async (t) => {
    const { batcher, nextCall, states } = createTestBatcher();
    const acknowledged: number[] = [];
    const add = (seq: number) => batcher.add(groupOf('anna', seq)).then(() => acknowledged.push(seq));
    const all = [add(1), add(2)];
    const failing = await nextCall();
    all.push(add(3));
    failing.fail();
    const again = await nextCall();
    t.strictSame(again.seqs, [1, 2, 3]);
    t.strictSame([acknowledged, states], [[], ['degraded']]);
    again.succeed();
    await Promise.all(all);
    t.strictSame(
      [acknowledged, states],
      [
        [1, 2, 3],
        ['degraded', 'restored'],
      ],
    );
  },
);

t.test('more than may wait is refused, and room that was made is used again', async (t) => {
  const { batcher, nextCall } = createTestBatcher({ maxPendingFixes: 2 });
  const kept = [batcher.add(groupOf('anna', 1)), batcher.add(groupOf('anna', 2))];
  await t.rejects(batcher.add(groupOf('anna', 3)), { code: 'redis_unavailable', detail: 'not sent' });
  (await nextCall()).succeed();
  await Promise.all(kept);
  const after = batcher.add(groupOf('anna', 4));
  (await nextCall()).succeed();
  await after;
});

t.test('frames of dropped fixes count too, so that they cannot pile up', async (t) => {
  const { batcher, nextCall } = createTestBatcher({ maxPendingFixes: 2 });
  const dropped = (seq: number): FixGroup => ({ ...groupOf('anna', seq), fixes: [], drops: [seq] });
  const kept = [batcher.add(dropped(1)), batcher.add(dropped(2))];
  t.equal(batcher.hasRoomFor(1), false);
  await t.rejects(batcher.add(dropped(3)), { code: 'redis_unavailable' });
  (await nextCall()).succeed();
  await Promise.all(kept);
  t.equal(batcher.pendingFixes, 0);
  t.equal(batcher.hasRoomFor(2), true);
});

t.test('while one partition fails the success of another restores nothing', async (t) => {
  const { batcher, nextCall, states } = createTestBatcher();
  const failing = batcher.add(groupOf('anna', 1));
  (await nextCall()).fail();
  const other = batcher.add(groupOf('berta', 1));
  const calls = [await nextCall(), await nextCall()].sort((a, b) => b.partition - a.partition);
  calls[0]?.succeed();
  await other;
  t.strictSame(states, ['degraded']);
  calls[1]?.succeed();
  await failing;
  t.strictSame(states, ['degraded', 'restored']);
});

t.test('closing writes what waits, or refuses it when the time is over', async (t) => {
  const { batcher, nextCall } = createTestBatcher();
  const written = batcher.add(groupOf('anna', 1));
  const closing = batcher.close(10_000);
  (await nextCall()).succeed();
  await Promise.all([written, closing]);
  await t.rejects(batcher.add(groupOf('anna', 2)), { code: 'redis_unavailable' });

  const hanging = createTestBatcher();
  const [sent, waiting] = [1, 2].map((seq) => hanging.batcher.add(groupOf('anna', seq)));
  const refused = [t.rejects(sent as Promise<unknown>, { code: 'redis_unavailable' })];
  const call = await hanging.nextCall();
  const late = hanging.batcher.add(groupOf('anna', 3));
  refused.push(
    t.rejects(late, { code: 'redis_unavailable' }),
    t.rejects(waiting as Promise<unknown>, { code: 'redis_unavailable' }),
  );
  await hanging.batcher.close(20);
  call.fail();
  await within(Promise.all(refused), { ...soon, what: 'the refusals' });
  t.equal(hanging.calls.length, 1, 'nothing is offered again');
});
