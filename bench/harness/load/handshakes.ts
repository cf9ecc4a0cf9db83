import { jsonSubprotocol, realtimePath } from '@hushryd/contracts/realtime/limits';
import { sleepMs } from '../sleep.ts';
import { encodeFrame } from './frame-reader.ts';
import { openRawWebSocket, type RawWebSocket } from './raw-websocket.ts';

/** What a client has to do until it hears a topic, or may send fixes. */
export interface OpenedSocket {
  readonly socket: RawWebSocket;
  /** The server's last answer in the handshake. */
  readonly answer: string;
}

export type OnText = (buffer: Buffer, start: number, end: number) => void;

interface HandshakeInput {
  readonly port: number;
  readonly localAddress?: string | undefined;
  /** How often it is tried until it fails for good; without it four times, with growing pauses. */
  readonly maxAttempts?: number;
  readonly onText: OnText;
  readonly onEnd: (reason: string) => void;
}

/** As the product's clients do; the bare servers that it is compared with speak the same frames. */
export function openHushrydSocket(
  input: HandshakeInput & { token: string; topics?: readonly string[]; isDriver?: boolean },
): Promise<OpenedSocket> {
  const steps: Step[] = [{ expect: '"type":"ready"' }];
  for (const topic of input.topics ?? []) {
    steps.push({ send: `{"type":"sub","id":1,"topic":"${topic}"}`, expect: '"type":"subscribed"' });
  }
  if (input.isDriver) steps.push({ send: '{"type":"hello","id":1}', expect: '"type":"welcome"' });
  const headers = { Authorization: `Bearer ${input.token}`, 'Sec-WebSocket-Protocol': jsonSubprotocol };
  return open({ ...input, path: realtimePath, headers, steps });
}

/** Engine.IO 4 over a websocket alone, then an event that joins a room. */
export function openSocketIoSocket(input: HandshakeInput & { topic: string }): Promise<OpenedSocket> {
  const steps: Step[] = [
    { expect: '0{' },
    { send: '40', expect: '40{' },
    { send: `42${JSON.stringify(['sub', input.topic])}`, expect: '42["subscribed"' },
  ];
  return open({ ...input, path: '/socket.io/?EIO=4&transport=websocket', headers: {}, steps });
}

interface Step {
  readonly send?: string;
  readonly expect: string;
}

type Handshake = HandshakeInput & { path: string; headers: Record<string, string>; steps: readonly Step[] };

const handshakeWithinMs = 20_000;
const usualAttempts = 4;
const retryDelayMs = 1000;

/** Thousands come at once: one that is not let in tries again, as an app would. */
async function open(handshake: Handshake): Promise<OpenedSocket> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tryOpen(handshake);
    } catch (error) {
      if (attempt === (handshake.maxAttempts ?? usualAttempts)) throw error;
      await sleepMs(attempt * retryDelayMs);
    }
  }
}

function tryOpen(input: Handshake): Promise<OpenedSocket> {
  let step = 0;
  let socket: RawWebSocket | undefined;
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => fail('the handshake was not finished in time'), handshakeWithinMs);

    function fail(reason: string): void {
      clearTimeout(late);
      socket?.cut();
      reject(new Error(reason));
    }

    /** Before the last step everything is read as text; afterwards nothing but what `onText` looks at. */
    function onText(buffer: Buffer, start: number, end: number): void {
      const expected = input.steps[step];
      if (expected === undefined) {
        input.onText(buffer, start, end);
        return;
      }
      const text = buffer.toString('utf8', start, end);
      if (text.startsWith('{"type":"error"')) {
        fail(text);
        return;
      }
      if (!text.includes(expected.expect)) return;
      step += 1;
      const next = input.steps[step];
      if (next?.send !== undefined) socket?.send(encodeFrame(next.send));
      if (next !== undefined) return;
      clearTimeout(late);
      resolve({ socket: socket as RawWebSocket, answer: text });
    }

    const onEnd = (reason: string) => (step < input.steps.length ? fail(reason) : input.onEnd(reason));
    openRawWebSocket({ ...input, onText, onEnd }).then(
      (opened) => {
        socket = opened;
      },
      (error: Error) => fail(error.message),
    );
  });
}
