/** Where the payload of one frame lies. Valid only until the callback returns. */
export type OnFrame = (buffer: Buffer, start: number, end: number, opcode: number) => void;

export const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const;

/**
 * Finds the frames in what a server sends, without copying: a frame is handed over as its place in the buffer that was read into.
 * Only one that is cut by the end of a read is kept, until the rest has come.
 *
 * Knows what servers of ours send: unmasked, unfragmented frames below 2³² bytes.
 */
export function createFrameReader(onFrame: OnFrame): (buffer: Buffer, length: number) => void {
  let kept: Buffer | undefined;

  return (buffer, length) => {
    if (kept === undefined) {
      keep(buffer, length, parse(buffer, length));
      return;
    }
    const joined = Buffer.concat([kept, buffer.subarray(0, length)]);
    kept = undefined;
    keep(joined, joined.length, parse(joined, joined.length));
  };

  function keep(buffer: Buffer, length: number, from: number): void {
    if (from < length) kept = Buffer.from(buffer.subarray(from, length));
  }

  /** @returns where the first incomplete frame begins */
  function parse(buffer: Buffer, length: number): number {
    let at = 0;
    while (length - at >= 2) {
      const short = (buffer[at + 1] as number) & 0x7f;
      const headerBytes = headerBytesOf(short);
      if (length - at < headerBytes) return at;
      const start = at + headerBytes;
      const end = start + payloadBytes(buffer, at, short);
      if (end > length) return at;
      onFrame(buffer, start, end, (buffer[at] as number) & 0x0f);
      at = end;
    }
    return at;
  }
}

function headerBytesOf(short: number): number {
  if (short < 126) return 2;
  return short === 126 ? 4 : 10;
}

function payloadBytes(buffer: Buffer, at: number, short: number): number {
  if (short < 126) return short;
  return short === 126 ? buffer.readUInt16BE(at + 2) : buffer.readUInt32BE(at + 6);
}

/** A client's frame. Its mask is zero, which is allowed and saves the masking. */
export function encodeFrame(payload: string | Buffer, opcode: number = opcodes.text): Buffer {
  const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
  const isShort = bytes.length < 126;
  const frame = Buffer.alloc((isShort ? 6 : 8) + bytes.length);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (isShort ? bytes.length : 126);
  if (!isShort) frame.writeUInt16BE(bytes.length, 2);
  bytes.copy(frame, frame.length - bytes.length);
  return frame;
}
