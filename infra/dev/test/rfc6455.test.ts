import { once } from 'node:events';
import { connect } from 'node:net';
import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import { realtimePath } from '@hushryd/contracts/realtime/limits';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import t from 'tap';
import { openPlainSocket } from './plain-socket.ts';
import { footprintOf } from './process-footprint.ts';
import { frame, opcodes, openRawWebSocket } from './raw-websocket.ts';
import { type SystemService, startSystem } from './system.ts';

// F27 and F28: what a hostile client can say below and in the protocol. Its connection ends, nobody else's does, nothing is stored, and
// nothing stays behind.

const seed = Date.now() % 2 ** 31;
t.comment(`fast-check seed ${seed}`);

const main = new URL('../../../services/realtime/dist/main.js', import.meta.url);
const system = await startSystem(t);
const [shipped] = system.realtimes as [SystemService];
/** Takes so much from one client that what is said to it, and how much, is judged by itself. */
const node = await system.startRealtime(main, {
  MAX_FRAMES_PER_SECOND: '1000000',
  MAX_BAD_FRAMES: '1000000',
  MAX_SOCKETS_PER_USER: '1000',
});
const redis = new Redis(system.redisUrl);
t.teardown(() => redis.disconnect());
const honest = await openPlainSocket(node.url, system.token('honest', 'rider'));
t.teardown(() => honest.close());
const open = (url = node.url) => openRawWebSocket(url, system.token('mallory', 'driver'));
const text = (payload: string) => Buffer.from(payload);
const ping = text('{"type":"ping","id":1}');
const hello = text('{"type":"hello"}');

const footprint = () => footprintOf(node.process.pid);
const residentBytes = () => footprint().residentBytes;

async function storedFixes(): Promise<number> {
  let fixes = 0;
  for (const key of await redis.keys(`${system.redisPrefix}{p*}:fixes`)) fixes += await redis.xlen(key);
  for (const key of await redis.keys(`${system.redisPrefix}{p*}:positions`))
    fixes += (await redis.type(key)) === 'hash' ? 1 : 0;
  return fixes;
}

async function assertUnharmed(): Promise<void> {
  await honest.request({ type: 'ping' }, 'pong');
  const reply = await fetch(`${node.url}/health/live`, { signal: AbortSignal.timeout(5000) });
  if (reply.status !== 200) throw new Error(`/health/live answered ${reply.status}`);
  const faults = node.process.logs.filter(({ level }) => level === 'error' || level === 'fatal');
  if (faults.length > 0) throw new Error(`the node complains: ${JSON.stringify(faults[0])}`);
}

const spareDescriptors = 4;
const huge = 0xffff_ffff_ffff_ffffn;
const cases: [name: string, bytes: readonly Buffer[], codes: readonly number[]][] = [
  ['a reserved bit', [frame({ opcode: opcodes.text, reserved: 4, payload: ping })], [1006, 1002]],
  ['a reserved opcode', [frame({ opcode: 3, payload: ping })], [1006, 1002]],
  ['a reserved control opcode', [frame({ opcode: 11, payload: ping })], [1006, 1002]],
  [
    'text that is not UTF-8',
    [frame({ opcode: opcodes.text, payload: Buffer.from([0x22, 0xc3, 0x28, 0x22]) })],
    [1006, 1007],
  ],
  [
    'a 64-bit length of everything',
    [frame({ opcode: opcodes.text, payload: ping, claim: { bytes: 8, length: huge } })],
    [1006, 1009],
  ],
  [
    'a 64-bit length of 1 GB',
    [frame({ opcode: opcodes.text, payload: ping, claim: { bytes: 8, length: 1n << 30n } })],
    [1006, 1009],
  ],
  [
    'a frame above the hard limit',
    [frame({ opcode: opcodes.text, payload: Buffer.alloc(40_000, 0x20) })],
    [1006, 1009],
  ],
  ['a frame above our limit', [frame({ opcode: opcodes.text, payload: Buffer.alloc(20_000, 0x20) })], [1009]],
  ['a control frame of 126 bytes', [frame({ opcode: opcodes.ping, payload: Buffer.alloc(126) })], [1006, 1002]],
  ['a control frame in parts', [frame({ opcode: opcodes.ping, fin: false, payload: text('a') })], [1006, 1002]],
  ['a continuation of nothing', [frame({ opcode: opcodes.continuation, payload: ping })], [1006, 1002]],
  [
    'a new message within another',
    [frame({ opcode: opcodes.text, fin: false, payload: text('{') }), frame({ opcode: opcodes.text, payload: ping })],
    [1006, 1002],
  ],
  ['a close frame of one byte', [frame({ opcode: opcodes.close, payload: Buffer.from([3]) })], [1006, 1002]],
  [
    'a close frame with an invalid code',
    [frame({ opcode: opcodes.close, payload: Buffer.from([0, 99]) })],
    [1006, 1002],
  ],
  [
    'a message that never ends',
    [
      frame({ opcode: opcodes.text, fin: false, payload: Buffer.alloc(1000, 0x20) }),
      ...Array.from({ length: 60 }, () =>
        frame({ opcode: opcodes.continuation, fin: false, payload: Buffer.alloc(1000, 0x20) }),
      ),
    ],
    [1006, 1009],
  ],
];

t.test('whoever breaks the websocket protocol loses the connection, and nobody else notices', async (t) => {
  for (const [name, bytes, codes] of cases) {
    const raw = await open();
    for (const part of bytes) raw.write(part);
    const { code } = await raw.ended();
    t.ok(codes.includes(code), `${name}: ${code}, one of ${codes}`);
    await assertUnharmed();
  }
  t.equal(await storedFixes(), 0);
});

t.test('an unmasked frame says nothing that is kept', async (t) => {
  const raw = await open();
  raw.write(frame({ opcode: opcodes.text, payload: hello }));
  await waitFor(() => raw.texts.some((said) => said.includes('"welcome"')), { withinMs: 10_000, what: 'a run' });
  const { run } = JSON.parse(raw.texts.find((said) => said.includes('"welcome"')) as string) as { run: number };
  const fix = { seq: 1, recordedAtMs: Date.now(), lat: 41, lng: -8 };
  const loc = text(JSON.stringify({ type: 'loc', id: 7, run, from: 1, fixes: [fix] }));
  raw.write(frame({ opcode: opcodes.text, masked: false, payload: loc }));
  raw.write(frame({ opcode: opcodes.close }));
  await raw.ended();
  t.notOk(raw.texts.some((said) => said.includes('"recv"')));
  t.equal(await storedFixes(), 0);

  const masked = await open();
  masked.write(frame({ opcode: opcodes.text, payload: loc }));
  await waitFor(() => masked.texts.some((said) => said.includes('run_unknown')), {
    withinMs: 10_000,
    what: 'a refusal',
  });
  masked.write(frame({ opcode: opcodes.text, payload: text(JSON.stringify({ type: 'hello', run })) }));
  await waitFor(() => masked.texts.some((said) => said.includes('"welcome"')), { withinMs: 10_000, what: 'its run' });
  masked.write(frame({ opcode: opcodes.text, payload: loc }));
  await waitFor(() => masked.texts.some((said) => said.includes('"recv"')), {
    withinMs: 10_000,
    what: 'the same frame, masked',
  });
  masked.socket.destroy();
  t.ok((await storedFixes()) > 0, 'the check sees what is stored');
});

t.test('a flood of pings is answered or cut, and costs the others nothing', async (t) => {
  const before = residentBytes();
  const ping = frame({ opcode: opcodes.ping, payload: text('x') });
  for (const reads of [true, true, false]) {
    const raw = await open();
    if (!reads) raw.socket.pause();
    raw.write(Buffer.concat(Array.from({ length: 100_000 }, () => ping)));
    raw.write(frame({ opcode: opcodes.close }));
    await assertUnharmed();
    raw.socket.resume();
    await Promise.all([raw.ended(), assertUnharmed()]);
    t.ok(raw.pongCount > 0, `${raw.pongCount} answers`);
  }
  t.ok(residentBytes() - before < 64 * 2 ** 20, `grew by ${Math.round((residentBytes() - before) / 2 ** 20)} MiB`);
});

t.test('repeated abuse ends the socket with 1008, within the limits that ship', async (t) => {
  const abuses: [name: string, said: Buffer, error: string][] = [
    ['no JSON', text('{'), 'frame_malformed'],
    ['no frame', text('{"type":"loc","run":0}'), 'frame_invalid'],
    ['frames without end', ping, 'too_many_frames'],
  ];
  for (const [name, said, error] of abuses) {
    const raw = await open(shipped.url);
    raw.write(Buffer.concat(Array.from({ length: 200 }, () => frame({ opcode: opcodes.text, payload: said }))));
    const { code, textsAfter } = await raw.ended();
    const errors = raw.texts.filter((answer) => answer.includes(`"${error}"`)).length;
    t.equal(code, closeCodes.policyViolation, name);
    t.equal(textsAfter, 0);
    t.ok(errors >= 20 && errors < 40, `${name}: ${errors} answers before it`);

    const patient = await open();
    patient.write(Buffer.concat(Array.from({ length: 200 }, () => frame({ opcode: opcodes.text, payload: said }))));
    const isAnswered = () => patient.texts.length > 200;
    await waitFor(isAnswered, { withinMs: 10_000, what: 'as many answers where as much is allowed' });
    patient.socket.destroy();
  }
  await assertUnharmed();
});

t.test('an upgrade that takes for ever, or brings a mountain of headers, is cut', async (t) => {
  const { hostname, port } = new URL(node.url);
  const begin = async (head: string) => {
    const socket = connect({ host: hostname, port: Number(port) });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(head);
    return socket;
  };
  const slow = await begin(`GET ${realtimePath} HTTP/1.1\r\nHost: x\r\nUpgrade: webso`);
  slow.resume();
  const mountain = await begin(`GET ${realtimePath} HTTP/1.1\r\nHost: x\r\n`);
  mountain.resume();
  for (let line = 0; line < 2000 && !mountain.destroyed; line += 1) mountain.write(`X-${line}: ${'a'.repeat(100)}\r\n`);
  for (const socket of [slow, mountain]) {
    await waitFor(() => socket.closed, { withinMs: 20_000, what: 'the cut' });
  }
  await assertUnharmed();
  t.pass();
});

t.test('frames with any byte changed are refused by name or understood, and leave nothing behind', async (t) => {
  const good = [
    '{"type":"hello","id":1}',
    '{"type":"sub","id":2,"topic":"trip:nowhere","epoch":"e","offset":3}',
    '{"type":"unsub","id":3,"topic":"trip:nowhere"}',
    '{"type":"ack","topic":"admin:sos","epoch":"e","offset":1}',
    '{"type":"refresh","id":4,"token":"x.y.z"}',
    '{"type":"loc","id":5,"run":1,"from":1,"fixes":[{"seq":1,"recordedAtMs":1,"lat":41,"lng":-8}]}',
  ];
  const raw = await open();
  const changed = fc.record({
    of: fc.nat({ max: good.length - 1 }),
    at: fc.nat({ max: 95 }),
    byte: fc.integer({ min: 0x20, max: 0x7e }),
    cut: fc.boolean(),
  });
  const sent = 5000;
  const warmUp = residentBytes();
  for (const { of, at, byte, cut } of fc.sample(changed, { seed, numRuns: sent })) {
    const bytes = Buffer.from(good[of] as string);
    if (cut) raw.write(frame({ opcode: opcodes.text, payload: bytes.subarray(0, at % bytes.length) }));
    else {
      bytes[at % bytes.length] = byte;
      raw.write(frame({ opcode: opcodes.text, payload: bytes }));
    }
  }
  raw.write(frame({ opcode: opcodes.text, payload: ping }));
  await waitFor(() => raw.texts.some((said) => said.includes('"pong"') && said.includes('"id":1,')), {
    withinMs: 30_000,
    what: 'an answer after all of them',
  });
  await assertUnharmed();
  raw.socket.destroy();
  t.ok(raw.texts.length > sent / 2, `${raw.texts.length} answers`);
  t.notOk(
    raw.texts.some((said) => said.includes('"internal"')),
    'none of them was our fault',
  );
  t.ok(residentBytes() - warmUp < 64 * 2 ** 20);
});

t.test('a thousand connections that broke the protocol leave no descriptor and little memory', async (t) => {
  const breakOne = async (index: number) => {
    const raw = await open();
    const [, bytes] = cases[index % cases.length] as (typeof cases)[number];
    for (const part of bytes) raw.write(part);
    await raw.ended();
  };
  const round = async () => {
    for (let from = 0; from < 500; from += 50)
      await Promise.all(Array.from({ length: 50 }, (_, index) => breakOne(from + index)));
  };
  await assertUnharmed();
  // Before the first round: right after it some of its sockets are still about to be closed.
  const { descriptors } = footprint();
  await round();
  const before = residentBytes();
  await round();
  await assertUnharmed();
  t.ok(residentBytes() - before < 16 * 2 ** 20, `grew by ${residentBytes() - before} bytes`);
  // Connections to Redis and the api come and go by one or two; a socket that stays open would be one of five hundred.
  await waitFor(() => footprint().descriptors <= descriptors + spareDescriptors, {
    withinMs: 20_000,
    what: `descriptors back at ${descriptors}`,
  });

  const kept = await Promise.all(Array.from({ length: 2 * spareDescriptors }, () => open()));
  t.ok(footprint().descriptors > descriptors + spareDescriptors, 'the check sees what stays open');
  for (const { socket } of kept) socket.destroy();
});
