import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { jsonSubprotocol, realtimePath } from '@hushryd/contracts/realtime/limits';
import { within } from '@hushryd/platform/testing/wait-for';

/** How a raw connection ended: a close frame's code, or 1006 where TCP was cut without one. */
export interface RawEnd {
  readonly code: number;
  /** Text frames that came behind the close frame. */
  readonly textsAfter: number;
}

/** A TCP connection that has upgraded to a websocket and now says whatever bytes it is given. */
export interface RawWebSocket {
  readonly socket: Socket;
  write(bytes: Buffer): void;
  /** Text frames of the server that came so far. */
  readonly texts: readonly string[];
  /** Pongs of the server so far. */
  readonly pongCount: number;
  ended(): Promise<RawEnd>;
}

export interface FrameShape {
  readonly opcode: number;
  readonly payload?: Buffer;
  readonly fin?: boolean;
  /** RSV1–3, the three bits above the opcode. */
  readonly reserved?: number;
  readonly masked?: boolean;
  /** Instead of the payload's real length: which of the three forms, and what it claims. */
  readonly claim?: { bytes: 2 | 8; length: bigint };
}

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const endsWithinMs = 20_000;

/** One frame as RFC 6455 §5.2 lays it out, right or wrong. */
export function frame({
  opcode,
  payload = Buffer.alloc(0),
  fin = true,
  reserved = 0,
  masked = true,
  claim,
}: FrameShape): Buffer {
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const maskBit = masked ? 0x80 : 0;
  const header = claim === undefined ? lengthOf(payload.length, maskBit) : claimedLength(claim, maskBit);
  if (!masked) return Buffer.concat([Buffer.from([first]), header, payload]);
  const mask = randomBytes(4);
  const body = Buffer.from(payload.map((byte, index) => byte ^ (mask[index % 4] as number)));
  return Buffer.concat([Buffer.from([first]), header, mask, body]);
}

function lengthOf(length: number, maskBit: number): Buffer {
  if (length < 126) return Buffer.from([maskBit | length]);
  return claimedLength({ bytes: length < 65_536 ? 2 : 8, length: BigInt(length) }, maskBit);
}

function claimedLength({ bytes, length }: { bytes: 2 | 8; length: bigint }, maskBit: number): Buffer {
  const header = Buffer.alloc(1 + bytes);
  header[0] = maskBit | (bytes === 2 ? 126 : 127);
  if (bytes === 2) header.writeUInt16BE(Number(length), 1);
  else header.writeBigUInt64BE(length, 1);
  return header;
}

/** @throws Error with the answer where the upgrade is refused */
export async function openRawWebSocket(url: string, token: string): Promise<RawWebSocket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const texts: string[] = [];
  let code = 1006;
  let textsBefore: number | undefined;
  let pongCount = 0;
  let received = Buffer.alloc(0);
  let isOpen = false;
  // Not `once` of events, which takes a reset for a failure: here it is an end like others.
  const closed = new Promise<RawEnd>((resolve) =>
    socket.once('close', () => resolve({ code, textsAfter: texts.length - (textsBefore ?? texts.length) })),
  );

  const opened = new Promise<void>((resolve, reject) => {
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      if (!isOpen) {
        const end = received.indexOf('\r\n\r\n');
        if (end < 0) return;
        const head = received.subarray(0, end).toString('latin1');
        received = received.subarray(end + 4);
        if (!head.startsWith('HTTP/1.1 101')) reject(new Error(head.split('\r\n', 1)[0]));
        isOpen = true;
        resolve();
      }
      readFrames();
    });
    void closed.then(() => reject(new Error('the connection was cut')));
  });

  /** A server's frames are unmasked and, here, short enough for the first two forms of length. */
  function readFrames(): void {
    for (;;) {
      if (received.length < 2) return;
      const opcode = (received[0] as number) & 0x0f;
      let length = (received[1] as number) & 0x7f;
      let at = 2;
      if (length === 126) {
        if (received.length < 4) return;
        length = received.readUInt16BE(2);
        at = 4;
      }
      if (received.length < at + length) return;
      const payload = received.subarray(at, at + length);
      note(opcode, payload);
      received = received.subarray(at + length);
    }
  }

  function note(opcode: number, payload: Buffer): void {
    if (opcode === opcodes.text) texts.push(payload.toString());
    else if (opcode === opcodes.pong) pongCount += 1;
    else if (opcode === opcodes.close) {
      textsBefore ??= texts.length;
      if (payload.length >= 2) code = payload.readUInt16BE(0);
    }
  }

  socket.write(
    [
      `GET ${realtimePath} HTTP/1.1`,
      `Host: ${hostname}:${port}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
      `Sec-WebSocket-Protocol: ${jsonSubprotocol}`,
      `Authorization: Bearer ${token}`,
      '',
      '',
    ].join('\r\n'),
  );
  await within(opened, { withinMs: endsWithinMs, what: 'the upgrade' });
  return {
    socket,
    write: (bytes) => void socket.write(bytes),
    texts,
    get pongCount() {
      return pongCount;
    },
    ended: () => within(closed, { withinMs: endsWithinMs, what: 'the end of the connection' }),
  };
}
