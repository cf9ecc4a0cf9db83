import t from 'tap';
import { createFeedPace, feedPaceMs } from './feed-pace.ts';

const partitions = 16;

/**
 * Nodes over one feed: each writes, at every flush, one message for each partition that has a fix by then.
 *
 * @returns what all nodes heard in the last second, and their pauses
 */
function simulate({ nodes, fixesPerSecond, seconds }: { nodes: number; fixesPerSecond: number; seconds: number }) {
  let nowMs = 0;
  const paces = Array.from({ length: nodes }, () => createFeedPace({ maxPauseMs: 25, now: () => nowMs }));
  let heard = 0;
  const pauses: number[] = [];
  for (let turns = 0; turns < (seconds * 1000) / feedPaceMs; turns += 1) {
    nowMs += feedPaceMs;
    const written = paces.map(({ pauseMs }) => {
      const flushMs = Math.max(1, pauseMs);
      const fixesAFlush = (fixesPerSecond / nodes) * (flushMs / 1000);
      return (feedPaceMs / flushMs) * Math.min(fixesAFlush, partitions);
    });
    const all = written.reduce((sum, count) => sum + count, 0);
    heard = (all * nodes * 1000) / feedPaceMs;
    for (const [index, pace] of paces.entries()) {
      for (let count = 0; count < Math.round(all); count += 1) pace.heard();
      for (let count = 0; count < Math.round(written[index] as number); count += 1) pace.wrote();
      pace.turn();
    }
    pauses.push(paces[0]?.pauseMs ?? 0);
  }
  return { heard, pauses };
}

t.test('a node by itself never waits, however much it writes', async (t) => {
  t.strictSame(new Set(simulate({ nodes: 1, fixesPerSecond: 50_000, seconds: 5 }).pauses), new Set([0]));
});

t.test('few messages of others are no reason to wait', async (t) => {
  t.strictSame(new Set(simulate({ nodes: 3, fixesPerSecond: 600, seconds: 5 }).pauses), new Set([0]));
});

t.test('many nodes wait, settle, and hear less than half of what they would hear otherwise', async (t) => {
  const { heard, pauses } = simulate({ nodes: 7, fixesPerSecond: 28_000, seconds: 20 });
  const [before, last] = pauses.slice(-2) as [number, number];
  t.ok(last > 5 && last <= 25, `a pause of ${last.toFixed(1)} ms`);
  t.ok(Math.abs(before - last) < 1, 'and the same each time');
  t.ok(heard < (28_000 * 7) / 2, `${Math.round(heard)} messages a second`);
});

t.test('a calm feed ends the pauses', async (t) => {
  let nowMs = 0;
  const pace = createFeedPace({ maxPauseMs: 25, now: () => nowMs });
  const second = (messages: number) => {
    nowMs += 1000;
    for (let count = 0; count < messages; count += 1) pace.heard();
    pace.turn();
  };
  for (let turn = 0; turn < 20; turn += 1) second(100_000);
  t.ok(pace.pauseMs > 24 && pace.pauseMs <= 25, 'never longer than the longest');
  for (let turn = 0; turn < 10; turn += 1) second(100);
  t.equal(pace.pauseMs, 0);
});
