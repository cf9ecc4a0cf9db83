import { connect, type Socket } from 'node:net';
import { createFrameReader, encodeFrame, opcodes } from './frame-reader.ts';

export interface RawWebSocket {
  /** A whole frame from `encodeFrame`. */
  send(frame: Buffer): void;
  /** Read nothing more: what comes fills the buffers of both ends. */
  stall(): void;
  /** Cut it, without a word and without leaving the port behind. */
  cut(): void;
}

export interface RawWebSocketOptions {
  readonly port: number;
  /** Address to connect from, in 127.0.0.0/8; without it 127.0.0.1. Each has some 28,000 ports of its own. */
  readonly localAddress?: string | undefined;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text frames. What lies in the buffer is there only until this returns. */
  readonly onText: (buffer: Buffer, start: number, end: number) => void;
  /** It ended, and nobody here cut it. */
  readonly onEnd: (reason: string) => void;
}

/** All sockets of a process read into one buffer: each is done with it before the next reads. */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024);
const openWithinMs = 20_000;

/**
 * A websocket with nothing between TCP and the counting: some 3 µs a read, however many frames it brings.
 *
 * @throws Error when the server refuses, with its answer
 */
export function openRawWebSocket(options: RawWebSocketOptions): Promise<RawWebSocket> {
  return new Promise((resolve, reject) => {
    let isOpen = false;
    let isCut = false;
    let head = '';
    const read = createFrameReader((buffer, start, end, opcode) => {
      if (opcode === opcodes.text) options.onText(buffer, start, end);
      else if (opcode === opcodes.ping)
        socket.write(encodeFrame(Buffer.from(buffer.subarray(start, end)), opcodes.pong));
      else if (opcode === opcodes.close)
        fail(`closed with ${end - start >= 2 ? buffer.readUInt16BE(start) : 'no code'}`);
    });

    const socket: Socket = connect({
      host: '127.0.0.1',
      port: options.port,
      ...(options.localAddress !== undefined && { localAddress: options.localAddress }),
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback(length, buffer) {
          if (isOpen) read(buffer as Buffer, length);
          else takeHead(buffer as Buffer, length);
          return true;
        },
      },
    });
    const timer = setTimeout(() => fail('no answer to the upgrade'), openWithinMs);
    socket.once('connect', () => socket.write(upgradeRequest(options)));
    socket.once('error', (error) => fail(error.message));
    socket.once('close', () => fail('connection closed'));

    function takeHead(buffer: Buffer, length: number): void {
      head += buffer.toString('latin1', 0, length);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (!head.startsWith('HTTP/1.1 101')) {
        fail(`upgrade refused: ${head.slice(0, 300)}`);
        return;
      }
      clearTimeout(timer);
      isOpen = true;
      resolve({
        send: (frame) => socket.write(frame),
        stall: () => socket.pause(),
        cut() {
          isCut = true;
          socket.resetAndDestroy();
        },
      });
      const rest = Buffer.from(head.slice(end + 4), 'latin1');
      head = '';
      // The opener's `then` comes first, so that it knows the socket before its first frame.
      if (rest.length > 0) setImmediate(() => read(rest, rest.length));
    }

    function fail(reason: string): void {
      clearTimeout(timer);
      socket.destroy();
      if (isCut) return;
      isCut = true;
      if (isOpen) options.onEnd(reason);
      else reject(new Error(reason));
    }
  });
}

function upgradeRequest({ port, path, headers = {} }: RawWebSocketOptions): string {
  const lines = Object.entries({
    Host: `127.0.0.1:${port}`,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': Buffer.from('hushryd-bench-00').toString('base64'),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
