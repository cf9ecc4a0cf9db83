import fc from 'fast-check';
import t from 'tap';
import { createFrameReader, encodeFrame, opcodes } from './frame-reader.ts';

/** As a server sends it: unmasked. */
function serverFrame(payload: string): Buffer {
  const bytes = Buffer.from(payload);
  const header =
    bytes.length < 126
      ? Buffer.from([0x81, bytes.length])
      : Buffer.from([0x81, 126, bytes.length >> 8, bytes.length & 255]);
  return Buffer.concat([header, bytes]);
}

t.test('frames come out whole and in order, wherever reads cut them', async (t) => {
  const payloads = fc.array(
    fc.integer({ min: 0, max: 400 }).map((length) => 'x'.repeat(length) + length),
    { maxLength: 20 },
  );
  const property = fc.property(payloads, fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }), (sent, cuts) => {
    const heard: string[] = [];
    const read = createFrameReader((buffer, start, end, opcode) => {
      t.equal(opcode, opcodes.text);
      heard.push(buffer.toString('utf8', start, end));
    });
    const bytes = Buffer.concat(sent.map(serverFrame));
    const shared = Buffer.alloc(512);
    for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
      const length = Math.min(cuts[turn % cuts.length]!, bytes.length - at);
      // The buffer is used again for each read, as sockets do.
      bytes.copy(shared, 0, at, at + length);
      read(shared, length);
      at += length;
    }
    t.strictSame(heard, sent);
  });
  fc.assert(property, { numRuns: 300 });
});

t.test('a frame of ours says its length and carries a zero mask', async (t) => {
  t.strictSame([...encodeFrame('ab').subarray(0, 8)], [0x81, 0x82, 0, 0, 0, 0, 97, 98]);
  const long = encodeFrame('x'.repeat(300));
  t.strictSame([...long.subarray(0, 8)], [0x81, 0xfe, 1, 44, 0, 0, 0, 0]);
  t.equal(long.length, 308);
});
