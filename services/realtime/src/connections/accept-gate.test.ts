import type { AppError } from '@hushryd/platform/errors/app-error';
import t from 'tap';
import { createAcceptGate } from './accept-gate.ts';

/** A gate in a time of its own. */
function setUp(settings: { maxPerSecond?: number; maxServerPerSecond?: number; maxPending?: number } = {}) {
  let nowMs = 0;
  let nodes = 1;
  const gate = createAcceptGate({
    maxPerSecond: 100,
    maxServerPerSecond: 300,
    maxPending: 10_000,
    ...settings,
    aliveNodes: () => nodes,
    monotonicMs: () => nowMs,
    random: () => 0,
  });
  /** @returns undefined where it was let in, else what the refusal says */
  const enter = (): AppError | undefined => {
    try {
      gate.enter();
      gate.leave();
      return undefined;
    } catch (error) {
      return error as AppError;
    }
  };
  const countEntering = (tries: number) => Array.from({ length: tries }, enter).filter((error) => !error).length;
  return {
    gate,
    enter,
    advance(ms: number) {
      nowMs += ms;
    },
    setNodes(count: number) {
      nodes = count;
    },
    countEntering,
    /** So many try in each twentieth of a second that follows. */
    countInSecond: (tries = 100) =>
      Array.from({ length: 20 }, () => {
        nowMs += 50;
        return countEntering(tries);
      }).reduce((sum, count) => sum + count, 0),
  };
}

t.test('a crowd is let in at the rate of the node, a fifth of a second at a time', async (t) => {
  const { countEntering, countInSecond, advance } = setUp();
  t.equal(countEntering(500), 20, 'in one turn of the event loop');
  t.equal(countInSecond(), 100);
  advance(60_000);
  t.equal(countEntering(500), 20, 'a quiet minute saves up nothing');
});

t.test('nodes share what all of them together take', async (t) => {
  const { countEntering, countInSecond, setNodes } = setUp();
  setNodes(3);
  countEntering(500);
  t.equal(countInSecond(), 100, 'three nodes: each its own rate');
  setNodes(10);
  t.equal(countInSecond(), 30, 'ten nodes: a tenth of 300 each');
  setNodes(1000);
  t.equal(countInSecond(), 1, 'never none');
});

t.test('those who are refused come back one after the other, at the rate at which they are taken', async (t) => {
  const { enter, countInSecond, countEntering } = setUp();
  countEntering(20);
  const waits = Array.from({ length: 1000 }, () => enter()?.retryAfterMs ?? 0);
  t.match(enter(), { code: 'overloaded', retryable: true });
  t.equal(Math.round(waits[0] ?? 0), 1010);
  t.equal(Math.round(waits[999] ?? 0), 11_000);
  const perSecond = new Map<number, number>();
  for (const wait of waits) perSecond.set(Math.ceil(wait / 1000), (perSecond.get(Math.ceil(wait / 1000)) ?? 0) + 1);
  t.ok(Math.max(...perSecond.values()) <= 101, 'in no second more than are taken in one');

  for (let second = 0; second < 11; second += 1) countInSecond(4);
  countEntering(20);
  t.ok((enter()?.retryAfterMs ?? 0) < 1100, 'and when they have come the queue is short again');
});

t.test('nobody waits longer than half a minute, nor for ever at a door that closes', async (t) => {
  const { enter, gate } = setUp({ maxPerSecond: 1 });
  Array.from({ length: 100_000 }, enter);
  t.equal(enter()?.retryAfterMs, 30_000);
  gate.close();
  t.match(enter(), { code: 'draining', retryAfterMs: 1000 });
});

t.test('only so many wait for their ticket at the same time', async (t) => {
  const { gate } = setUp({ maxPerSecond: 1000, maxServerPerSecond: 1000, maxPending: 2 });
  gate.enter();
  gate.enter();
  t.throws(() => gate.enter(), { code: 'overloaded' });
  gate.leave();
  gate.enter();
  t.pass();
});
