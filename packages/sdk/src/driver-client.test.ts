import type { LocFrame } from '@hushryd/contracts/realtime/client-frames';
import { realtimeLimits } from '@hushryd/contracts/realtime/limits';
import { test } from 'tap';
import { createFakeApi } from '../test/support/fake-api.ts';
import { createFakeSockets } from '../test/support/fake-socket.ts';
import { createManualRuntime } from '../test/support/manual-runtime.ts';
import type { DriverClientOptions, FixDrop } from './driver-client.ts';
import { createDriverClient } from './driver-client.ts';
import { createMemoryFixStore } from './fixes/fix-store.ts';
import { utf8Length } from './fixes/loc-frame.ts';
import type { FixReading } from './fixes/reading.ts';

const run = 1_700_000_000_000;

function setUp(options: Partial<DriverClientOptions> = {}) {
  const runtime = createManualRuntime();
  const sockets = createFakeSockets(runtime.now);
  const client = createDriverClient({
    realtimeUrl: 'ws://realtime.example',
    apiUrl: 'http://api.example',
    getToken: () => 'token',
    createSocket: sockets.createSocket,
    fetch: createFakeApi().fetch,
    ...runtime,
    ...options,
  });
  const drops: FixDrop[] = [];
  client.on('drop', (drop) => drops.push(drop));
  const errors: Error[] = [];
  client.on('error', (error) => errors.push(error));

  const goLive = async () => {
    void client.connect();
    await runtime.settle();
    sockets.last.ready();
    await runtime.settle();
  };
  /** Answer the newest `hello`. */
  const welcome = async (fields: { run?: number; durableSeq?: number } = {}) => {
    const hello = sockets.last.sentOf('hello').at(-1);
    sockets.last.say({ type: 'welcome', id: hello?.id ?? 0, run, durableSeq: 0, position: null, ...fields });
    await runtime.settle();
  };
  const locs = () => sockets.last.sentOf('loc');
  const acknowledge = async (frame: LocFrame) => {
    sockets.last.say({ type: 'recv', id: frame.id ?? 0, run: frame.run, seq: frame.fixes.at(-1)?.seq ?? 0 });
    await runtime.settle();
  };
  const add = (count: number, fields: Partial<FixReading> = {}, tripId?: string) => {
    const seqs: number[] = [];
    for (let i = 0; i < count; i += 1) {
      const reading = { recordedAtMs: runtime.now() + i, lat: 41.1, lng: -8.6, ...fields };
      seqs.push(client.addFix(reading, tripId === undefined ? {} : { tripId }));
    }
    return seqs;
  };
  return { runtime, sockets, client, drops, errors, goLive, welcome, locs, acknowledge, add };
}

const seqsOf = (frames: LocFrame[]) => frames.flatMap(({ fixes }) => fixes.map(({ seq }) => seq));

test('fixes taken before the first connection go out, in one frame, once a run is allotted', async (t) => {
  const { runtime, sockets, client, goLive, welcome, locs, acknowledge, add } = setUp();

  t.same(add(3, { speedMps: 9.5, headingDegrees: Number.NaN }, 'trip-1'), [1, 2, 3]);
  await goLive();
  t.match(sockets.last.sent, [{ type: 'hello' }]);
  t.notOk('run' in (sockets.last.sent[0] ?? {}), 'no run is named: the server allots one');
  t.equal(client.run, undefined);
  await welcome();

  t.equal(client.run, run);
  t.equal(locs().length, 1);
  t.match(locs()[0], { type: 'loc', run, from: 1, tripId: 'trip-1' });
  t.same(locs()[0]?.fixes[0], { seq: 1, recordedAtMs: runtime.now(), lat: 41.1, lng: -8.6, speedMps: 9.5 });
  t.equal(client.pendingCount, 3);

  const durable = client.whenDurable();
  await acknowledge(locs()[0]!);
  t.equal(client.pendingCount, 3, 'received is not durable');
  sockets.last.say({ type: 'durable', run, seq: 2 });
  await runtime.settle();
  t.equal(client.pendingCount, 1);
  sockets.last.say({ type: 'durable', run, seq: 3 });
  await durable;
  t.equal(client.pendingCount, 0);
});

test('a frame carries one trip, at most 100 fixes and 16 KiB of UTF-8', async (t) => {
  const { sockets, goLive, welcome, locs, acknowledge, add } = setUp();
  await goLive();
  await welcome();
  const place = { lat: 13 * Math.PI, lng: -2.7 * Math.PI, accuracyMeters: 4 * Math.PI };
  const full = { ...place, speedMps: 4.2 * Math.PI, headingDegrees: 86 * Math.PI, batteryPercent: 87.5 };

  add(250, full);
  add(1, {}, 'trip-1');
  add(1, {}, 'trip-2');
  add(1, {});
  for (let i = 0; i < 10; i += 1) {
    await Promise.all(locs().map(acknowledge));
  }

  t.same(
    seqsOf(locs()),
    Array.from({ length: 253 }, (_, i) => i + 1),
  );
  t.same(
    locs().map(({ tripId, fixes }) => `${tripId ?? '-'}:${fixes.length > 1 ? 'many' : fixes.length}`),
    ['-:many', '-:many', '-:many', '-:many', 'trip-1:1', 'trip-2:1', '-:1'],
  );
  for (const text of sockets.last.texts)
    t.ok(utf8Length(text) <= realtimeLimits.frameBytes, `${utf8Length(text)} bytes`);
  t.ok(
    sockets.last.texts.some((text) => utf8Length(text) > realtimeLimits.frameBytes - 300),
    'frames are filled',
  );
  t.equal(utf8Length('aé€🚕'), new TextEncoder().encode('aé€🚕').length);
});

test('at most 8 frames are under way and 16 sent in a second', async (t) => {
  const { runtime, goLive, welcome, locs, acknowledge, add } = setUp();
  await goLive();
  await welcome();

  for (let i = 0; i < 12; i += 1) {
    add(1);
    await runtime.settle();
  }
  t.equal(locs().length, 8, 'the window is full');
  await acknowledge(locs()[0]!);
  t.equal(locs().length, 9);
  t.equal(locs()[8]?.fixes.length, 4, 'what gathered meanwhile shares a frame');

  for (let i = 0; i < 20; i += 1) {
    for (const frame of locs().slice(-8)) await acknowledge(frame);
    add(1);
    await runtime.settle();
  }
  t.equal(locs().length, 15, 'one hello and 15 loc are 16 frames');
  await runtime.advance(1000);
  t.ok(locs().length > 15);
});

test('after a reconnect everything above the durable seq is sent again, in order, with hello {run, from}', async (t) => {
  const { runtime, sockets, client, goLive, welcome, locs, acknowledge, add } = setUp();
  await goLive();
  await welcome();
  add(10);
  await runtime.settle();
  await acknowledge(locs()[0]!);
  sockets.last.say({ type: 'durable', run, seq: 4 });
  await runtime.settle();

  sockets.last.close(1006);
  add(2);
  await runtime.advance(125);
  sockets.last.ready();
  await runtime.settle();
  t.match(sockets.last.sent, [{ type: 'hello', run, from: 5 }]);
  await welcome({ durableSeq: 6 });

  t.match(locs(), [{ run, from: 7 }]);
  t.same(seqsOf(locs()), [7, 8, 9, 10, 11, 12]);
  sockets.last.say({ type: 'durable', run, seq: 9 });
  sockets.last.say({ type: 'durable', run, seq: 3 });
  await runtime.settle();
  t.equal(client.pendingCount, 3, 'a lower durable seq, as after Redis was lost, takes nothing back');
});

test('resend brings everything kept from there on, once', async (t) => {
  const { runtime, sockets, goLive, welcome, locs, acknowledge, add } = setUp();
  await goLive();
  await welcome();
  add(6);
  await runtime.settle();
  await acknowledge(locs()[0]!);
  sockets.last.say({ type: 'durable', run, seq: 2 });

  sockets.last.say({ type: 'resend', run, from: 3 });
  sockets.last.say({ type: 'resend', run: run + 1, from: 1 });
  await runtime.settle();

  t.match(locs()[1], { from: 3 });
  t.same(seqsOf(locs().slice(1)), [3, 4, 5, 6]);
});

test('a resend from above the lowest kept means that a durable was missed: the phone asks how far', async (t) => {
  const { runtime, sockets, goLive, welcome, locs, acknowledge, add } = setUp();
  await goLive();
  await welcome();
  add(6);
  await runtime.settle();
  await acknowledge(locs()[0]!);

  sockets.last.say({ type: 'resend', run, from: 5 });
  await runtime.settle();
  t.match(sockets.last.sentOf('hello')[1], { run, from: 1 });
  t.equal(locs().length, 1);
  await welcome({ durableSeq: 4 });

  t.match(locs()[1], { from: 5 });
  t.same(seqsOf(locs().slice(1)), [5, 6]);
});

test('a dropped fix is closed at once and told', async (t) => {
  const { runtime, sockets, client, drops, goLive, welcome, locs, add } = setUp();
  await goLive();
  await welcome();
  add(3);
  await runtime.settle();

  const drop = { seq: 2, reason: 'inaccurate' } as const;
  sockets.last.say({ type: 'recv', id: locs()[0]!.id!, run, seq: 3, drops: [drop, drop] });
  await runtime.settle();
  t.same(drops, [{ run, ...drop }]);
  t.equal(client.pendingCount, 2);
  sockets.last.say({ type: 'resend', run, from: 1 });
  await runtime.settle();

  t.same(seqsOf(locs().slice(1)), [1, 3]);
});

test('beyond its room the queue gives up the oldest fixes, counts them and closes their seqs', async (t) => {
  const { client, drops, goLive, welcome, locs, add } = setUp({ maxKeptFixes: 5 });

  add(8);
  t.equal(client.pendingCount, 5);
  t.equal(client.overflowCount, 3);
  t.same(
    drops.map(({ seq, reason }) => [seq, reason]),
    [
      [1, 'overflow'],
      [2, 'overflow'],
      [3, 'overflow'],
    ],
  );
  await goLive();
  await welcome();

  t.match(locs(), [{ from: 4 }]);
  t.same(seqsOf(locs()), [4, 5, 6, 7, 8]);
});

test('a superseded phone goes on in its run until another is offered, then drains the old one', async (t) => {
  const { runtime, sockets, client, goLive, welcome, locs, acknowledge, add } = setUp();
  await goLive();
  await welcome();
  add(2);
  await runtime.settle();

  sockets.last.say({ type: 'superseded', run, byRun: run + 10 });
  add(1);
  await runtime.settle();
  t.same(seqsOf(locs()), [1, 2, 3]);
  t.equal(client.run, run);

  sockets.last.say({ type: 'superseded', run, byRun: run + 10, offeredRun: run + 20 });
  t.same(add(1), [1], 'numbered from 1 in the offered run');
  await runtime.settle();
  t.match(sockets.last.sentOf('hello').at(-1), { run: run + 20, from: 1 });
  await welcome({ run: run + 20 });
  for (const frame of locs()) await acknowledge(frame);
  t.equal(client.run, run + 20);
  t.match(locs().at(-1), { run: run + 20, from: 1, fixes: [{ seq: 1 }] });

  sockets.last.close(1006);
  await runtime.advance(125);
  sockets.last.ready();
  await runtime.settle();
  t.match(sockets.last.sent, [{ type: 'hello', run, from: 1 }], 'the older run first');
  await welcome({ durableSeq: 1 });
  await welcome({ run: run + 20 });
  t.match(
    locs().map((frame) => [frame.run, seqsOf([frame])]),
    [
      [run, [2, 3]],
      [run + 20, [1]],
    ],
  );

  sockets.last.say({ type: 'durable', run, seq: 3 });
  sockets.last.say({ type: 'durable', run: run + 20, seq: 1 });
  await client.whenDurable();
});

test('what is not answered is sent again, ever more seldom and one frame at a time', async (t) => {
  const { runtime, sockets, goLive, welcome, locs, acknowledge, add } = setUp({ silenceMs: 3_600_000 });
  await goLive();
  await welcome();
  for (let i = 0; i < 3; i += 1) {
    add(1);
    await runtime.settle();
  }
  t.equal(locs().length, 3);

  await runtime.advance(4999);
  t.equal(locs().length, 3);
  await runtime.advance(1);
  t.same(seqsOf(locs().slice(3)), [1, 2, 3]);
  await runtime.advance(9999);
  t.equal(locs().length, 4);
  await runtime.advance(1);
  t.equal(locs().length, 5);
  await runtime.advance(3_600_000 - 20_000);
  t.ok(locs().length < 130, `${locs().length} frames in an hour without an answer`);

  await acknowledge(locs().at(-1)!);
  const before = locs().length;
  add(1);
  await runtime.settle();
  t.same(seqsOf(locs().slice(before)), [4]);
  t.equal(sockets.all.length, 1);
});

test('a frame that was skipped is sent again although later ones are answered', async (t) => {
  const { runtime, goLive, welcome, locs, acknowledge, add } = setUp();
  await goLive();
  await welcome();
  add(1);
  await runtime.settle();

  // One fix a second, all answered but the first: its own five seconds must still run out.
  for (let second = 0; second < 5; second += 1) {
    add(1);
    await runtime.settle();
    await acknowledge(locs().at(-1)!);
    await runtime.advance(1000);
  }

  t.equal(locs().filter(({ fixes }) => fixes[0]?.seq === 1).length, 2);
});

test('status live:false stops sending; live:true resumes at once; a lost live:true costs seconds', async (t) => {
  const { runtime, sockets, goLive, welcome, locs, add } = setUp({ silenceMs: 3_600_000 });
  await goLive();
  await welcome();
  add(1);
  await runtime.settle();

  sockets.last.say({ type: 'status', live: false });
  add(1);
  await runtime.advance(4000);
  t.equal(locs().length, 1);
  sockets.last.say({ type: 'status', live: true });
  await runtime.settle();
  t.same(seqsOf(locs().slice(1)), [1, 2]);

  sockets.last.say({ type: 'status', live: false });
  await runtime.advance(4999);
  t.equal(locs().length, 2);
  await runtime.advance(1);
  t.equal(locs().length, 3, 'a probe');
});

test('fixes that were received but never become durable begin again with hello', async (t) => {
  const { runtime, sockets, goLive, welcome, locs, acknowledge, add } = setUp({ silenceMs: 3_600_000 });
  await goLive();
  await welcome();
  add(2);
  await runtime.settle();
  await acknowledge(locs()[0]!);

  await runtime.advance(30_000);
  t.match(sockets.last.sentOf('hello')[1], { run, from: 1 });
  await welcome({ durableSeq: 1 });
  t.same(seqsOf(locs().slice(1)), [2], 'Redis lost it after recv');
  await acknowledge(locs()[1]!);
  sockets.last.say({ type: 'durable', run, seq: 2 });
  await runtime.advance(3_000_000);

  t.equal(sockets.last.sentOf('hello').length, 2, 'nothing is pending, nothing is asked');
});

test('errors: an unreadable frame is closed, an unknown run is replaced, a refused role waits', async (t) => {
  t.test('an unreadable frame does not block the queue', async (t) => {
    const { runtime, sockets, client, drops, errors, goLive, welcome, locs, add } = setUp();
    await goLive();
    await welcome();
    add(2);
    await runtime.settle();
    const { id } = locs()[0]!;
    sockets.last.say({ type: 'error', id: id!, code: 'frame_invalid', message: 'no', retryable: false });
    await runtime.settle();
    t.equal(client.pendingCount, 0);
    t.match(drops, [{ reason: 'refused' }, { reason: 'refused' }]);
    t.match(errors, [{ code: 'frame_invalid' }]);
    add(1);
    await runtime.settle();
    t.match(locs().at(-1), { from: 3 });
  });

  t.test('an unknown run: its fixes move into a new one', async (t) => {
    const { runtime, sockets, client, goLive, welcome, locs, add } = setUp();
    await goLive();
    await welcome();
    add(3);
    await runtime.settle();
    sockets.last.say({ type: 'durable', run, seq: 1 });
    const { id } = locs()[0]!;
    sockets.last.say({ type: 'error', id: id!, code: 'run_unknown', message: 'no', retryable: false });
    await runtime.settle();
    t.notOk('run' in sockets.last.sentOf('hello').at(-1)!);
    await welcome({ run: run + 5 });
    t.match(locs().at(-1), { run: run + 5, from: 1 });
    t.same(seqsOf(locs().slice(-1)), [1, 2]);
    t.equal(client.pendingCount, 2);
  });

  t.test('a role that may not send keeps its fixes and is quiet until the next socket', async (t) => {
    const { runtime, sockets, client, errors, goLive, add } = setUp({ silenceMs: 3_600_000 });
    add(1);
    await goLive();
    const { id } = sockets.last.sentOf('hello')[0]!;
    sockets.last.say({ type: 'error', id: id!, code: 'forbidden', message: 'drivers only', retryable: false });
    await runtime.advance(3_000_000);
    t.equal(sockets.last.sent.length, 1);
    t.match(errors, [{ code: 'forbidden' }]);
    t.equal(client.pendingCount, 1);
  });

  t.test('a trip that the fixes may not count for is told; the fixes are taken', async (t) => {
    const { runtime, sockets, client, errors, goLive, welcome, locs, acknowledge, add } = setUp();
    await goLive();
    await welcome();
    add(1, {}, 'trip-of-another');
    await runtime.settle();
    const topic = 'trip:trip-of-another';
    sockets.last.say({ type: 'error', topic, code: 'not_found', message: 'not yours', retryable: false });
    await acknowledge(locs()[0]!);
    t.match(errors, [{ code: 'not_found', message: 'trip:trip-of-another: not yours' }]);
    t.equal(client.pendingCount, 1);
  });

  t.test('readings that no server can store are refused at once', async (t) => {
    const { client, add } = setUp();
    t.throws(() => add(1, { lat: Number.NaN }), /lat must be a finite number/);
    t.throws(() => add(1, {}, 'trip 1'), /Not a trip id/);
    t.equal(client.pendingCount, 0);
  });
});

test('a slower cadence does not outlive the socket that asked for it', async (t) => {
  const { runtime, sockets, client, goLive, welcome, locs, acknowledge, add } = setUp();
  const cadences: (number | undefined)[] = [];
  client.on('recv', ({ cadenceMs }) => cadences.push(cadenceMs));
  await goLive();
  await welcome();
  const sendOne = async (fields: { cadenceMs?: number } = {}) => {
    add(1);
    await runtime.settle();
    const frame = locs().at(-1)!;
    if (fields.cadenceMs === undefined) await acknowledge(frame);
    else sockets.last.say({ type: 'recv', id: frame.id ?? 0, run, seq: frame.fixes.at(-1)?.seq ?? 0, ...fields });
    await runtime.settle();
  };
  const comeBack = async () => {
    sockets.last.close(1006);
    await runtime.advance(5_000);
    sockets.last.ready();
    await runtime.settle();
    await welcome();
  };
  await sendOne({ cadenceMs: 5_000 });
  await sendOne();
  await comeBack();
  await sendOne();
  await sendOne();
  await comeBack();
  await sendOne();
  t.same(cadences, [5_000, undefined, 0, undefined, undefined]);
});

test('a store carries the queue over a restart; the old run drains and new fixes get a new run', async (t) => {
  const store = createMemoryFixStore();
  const first = setUp({ store });
  await first.goLive();
  await first.welcome();
  first.add(3, {}, 'trip-1');
  await first.runtime.advance(1000);
  first.add(1);
  await first.client.close();
  t.same(
    (await store.load())?.runs.map(({ run: stored, fixes }) => [stored, fixes.length]),
    [[run, 4]],
  );

  const second = setUp({ store });
  second.add(1);
  await second.goLive();
  t.equal(second.client.pendingCount, 5);
  t.match(second.sockets.last.sent, [{ type: 'hello', run, from: 1 }]);
  await second.welcome({ durableSeq: 2 });
  t.notOk('run' in second.sockets.last.sentOf('hello')[1]!);
  await second.welcome({ run: run + 1 });

  t.match(
    second.locs().map((frame) => [frame.run, frame.tripId, seqsOf([frame])]),
    [
      [run, 'trip-1', [3]],
      [run, undefined, [4]],
      [run + 1, undefined, [1]],
    ],
  );
  t.equal(second.client.run, run + 1);
  for (const [durableRun, seq] of [
    [run, 4],
    [run + 1, 1],
  ] as const) {
    second.sockets.last.say({ type: 'durable', run: durableRun, seq });
  }
  await second.client.whenDurable();
  await second.client.close();
  t.same((await store.load())?.runs, [{ run: run + 1, fixes: [] }]);
});

test('a store that fails is reported and stops nothing', async (t) => {
  const broken = {
    load: () => Promise.reject(new Error('disk')),
    save: () => Promise.reject(new Error('disk')),
  };
  const { runtime, errors, goLive, welcome, locs, add } = setUp({ store: broken });
  await goLive();
  await welcome();
  add(1);
  await runtime.advance(3000);

  t.match(errors, [{ code: 'store_failed' }, { code: 'store_failed' }]);
  t.equal(locs().length, 1);
});

test('whoever waits for durability hears when the connection is closed', async (t) => {
  const { client, add } = setUp();
  await client.whenDurable();
  add(1);
  void client.connect();

  const waiting = client.whenDurable();
  await client.close();

  await t.rejects(waiting, { code: 'closed' });
});
