import type { LocFrame } from '@hushryd/contracts/realtime/client-frames';
import fc from 'fast-check';
import { type Test, test } from 'tap';
import type { Encoding } from '../src/connection/connection-options.ts';
import { createDriverClient } from '../src/driver-client.ts';
import { createFakeApi } from './support/fake-api.ts';
import { createFakeSockets } from './support/fake-socket.ts';
import { FakeTracking } from './support/fake-tracking.ts';
import { createManualRuntime } from './support/manual-runtime.ts';

type Action =
  | 'add'
  | 'add to trip'
  | 'accept'
  | 'talk'
  | 'process'
  | 'deliver'
  | 'flush'
  | 'wait'
  | 'cut'
  | 'supersede'
  | 'lose redis'
  | 'redis away'
  | 'lose answers';
interface Step {
  action: Action;
  amount: number;
}

const few = fc.integer({ min: 1, max: 20 });
const onOrOff = fc.integer({ min: 0, max: 1 });
const one = fc.constant(1);

/** Likely actions first; what `amount` means is said in `createWorld`. */
const step = fc.oneof(
  ...(
    [
      [3, 'add', fc.integer({ min: 1, max: 130 })],
      [3, 'add to trip', fc.integer({ min: 1, max: 130 })],
      [4, 'accept', one],
      [4, 'talk', one],
      [3, 'process', few],
      [3, 'deliver', few],
      [3, 'flush', few],
      [4, 'wait', fc.constantFrom(10, 300, 1000, 6000, 31_000)],
      [2, 'cut', fc.constantFrom(1006, 1012, 4401, 4410)],
      [1, 'supersede', one],
      [1, 'lose redis', one],
      [1, 'redis away', onOrOff],
      [1, 'lose answers', onOrOff],
    ] satisfies [number, Action, fc.Arbitrary<number>][]
  ).map(([weight, action, amount]) => ({ weight, arbitrary: fc.record({ action: fc.constant(action), amount }) })),
);

/** Every 17th reading is one that the server does not keep. */
const isUnwanted = (index: number) => index % 17 === 16;

test('whatever happens between phone and history, every fix ends there, in order, and the phone keeps nothing', async (t) => {
  await t.test('in JSON', (t) => keepsEverything(t, 'json', 1000));
  await t.test('in the binary lane', (t) => keepsEverything(t, 'binary', 300));
});

async function keepsEverything(t: Test, encoding: Encoding, numRuns: number): Promise<void> {
  const seed = Number(process.env.SEED ?? Date.now() % 2_147_483_647);
  t.comment(`seed ${seed}; SEED=${seed} repeats it`);

  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }),
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      async (steps, randoms) => {
        const world = createWorld(() => randoms.next().value as number, encoding);
        void world.client.connect();
        for (const each of steps) await world.take(each);
        await world.heal();
        world.check();
        await world.client.close();
      },
    ),
    { numRuns, seed },
  );
  t.pass(`${numRuns} histories`);
}

function createWorld(random: () => number, encoding: Encoding) {
  const startMs = 1_700_000_000_000;
  const runtime = createManualRuntime({ startMs, random });
  const sockets = createFakeSockets(runtime.now);
  const tracking = new FakeTracking(sockets);
  tracking.isDropped = (recordedAtMs) => isUnwanted(recordedAtMs - startMs);
  const client = createDriverClient({
    realtimeUrl: 'ws://realtime.example',
    apiUrl: 'http://api.example',
    getToken: () => 'token',
    createSocket: sockets.createSocket,
    encoding,
    fetch: createFakeApi().fetch,
    ...runtime,
  });
  let added = 0;
  const dropped: number[] = [];
  client.on('drop', ({ seq }) => dropped.push(seq));

  return { client, take, heal, check };

  async function take({ action, amount }: Step): Promise<void> {
    const actions: Record<Action, () => void | Promise<void>> = {
      add: () => addFixes(amount),
      'add to trip': () => addFixes(amount, amount % 2 === 0 ? 'trip-1' : 'trip-2'),
      accept: () => tracking.accept(),
      talk,
      process: () => tracking.process(amount),
      deliver: () => tracking.deliver(amount),
      flush: () => tracking.flush(amount),
      wait: () => runtime.advance(amount),
      cut: () => tracking.cut(amount),
      supersede: () => tracking.supersede(client.run),
      'lose redis': () => tracking.loseRedis(),
      'redis away': () => tracking.setRedisAway(amount === 1),
      'lose answers': () => {
        tracking.losesAnswers = amount === 1;
      },
    };
    await actions[action]();
    await runtime.settle();
  }

  /** Everything that was said by now arrives, and so do the answers. */
  async function talk(): Promise<void> {
    tracking.accept();
    for (let round = 0; round < 3; round += 1) {
      await runtime.settle();
      tracking.process(100);
      tracking.deliver(100);
    }
  }

  function addFixes(amount: number, tripId?: string): void {
    for (let i = 0; i < amount; i += 1) {
      client.addFix({ recordedAtMs: startMs + added, lat: 1, lng: 2 }, tripId === undefined ? {} : { tripId });
      added += 1;
    }
  }

  /** All is well again: everything travels, and time passes. */
  async function heal(): Promise<void> {
    tracking.losesAnswers = false;
    tracking.setRedisAway(false);
    for (let round = 0; round < 400 && client.pendingCount > 0; round += 1) {
      await talk();
      tracking.flush(100);
      await runtime.advance(2000);
    }
  }

  function check(): void {
    equal(client.pendingCount, 0, 'fixes that the phone still keeps');
    const wanted = Array.from({ length: added }, (_, index) => index).filter((index) => !isUnwanted(index));
    // An answer may be lost with its socket, and the fix counts as closed nevertheless; none is told twice.
    equal(dropped.length <= added - wanted.length, true, 'reasons told are at most the fixes refused');

    const unique = new Map(tracking.history.map((fix) => [`${fix.run}:${fix.seq}`, fix]));
    const ordered = [...unique.values()].sort((a, b) => a.run - b.run || a.seq - b.seq);
    equal(
      JSON.stringify(ordered.map((fix) => fix.recordedAtMs - startMs)),
      JSON.stringify(wanted),
      'history in (run, seq) order',
    );
    equal(
      new Set(tracking.history.map((fix) => `${fix.run}:${fix.seq}:${fix.recordedAtMs}`)).size,
      unique.size,
      'a seq never names two fixes',
    );

    for (const socket of sockets.all) {
      socket.sentOf('loc').forEach(checkFrame);
      const inJson = socket.texts.filter((text) => text.includes('"type":"loc"')).length;
      equal(inJson, encoding === 'json' ? socket.sentOf('loc').length : 0, 'frames of fixes in JSON');
    }
  }
}

function checkFrame({ from, fixes }: LocFrame): void {
  const seqs = fixes.map(({ seq }) => seq);
  equal(seqs.length <= 100 && seqs.length >= 1, true, 'fixes a frame');
  equal(from <= seqs[0]!, true, 'from is at or below the first fix');
  equal(
    seqs.every((seq, index) => index === 0 || seq > seqs[index - 1]!),
    true,
    'seqs rise',
  );
}

function equal<Value>(actual: Value, expected: Value, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)} instead of ${String(expected)}`);
}
