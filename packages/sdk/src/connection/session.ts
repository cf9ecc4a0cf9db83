import { binarySubprotocol } from '@hushryd/contracts/realtime/limits';
import type { ReadyFrame, ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import type { Authenticate } from './authenticate.ts';
import type { Encoding } from './connection-options.ts';
import type { SessionEnd } from './decide-reconnect.ts';
import { createReadServerFrame } from './read-server-frame.ts';
import type { CancelTimer, Runtime } from './runtime.ts';
import type { CreateSocket, OutgoingFrame, SocketLike } from './socket.ts';

/** One socket's life: authenticate, open, `ready`, frames, end. Ends exactly once; nothing is called afterwards. */
export interface Session {
  send(frame: OutgoingFrame): void;
  /** What the server chose of what was offered. */
  readonly encoding: Encoding;
  /** Leave without a call of `onEnd`. */
  leave(): void;
}

export interface SessionInput {
  url: string;
  authenticate: Authenticate;
  createSocket: CreateSocket;
  runtime: Runtime;
  connectTimeoutMs: number;
  /** Silent for this long: one `ping`. Silent for twice as long: the session ends. */
  silenceMs: number;
  onReady(frame: ReadyFrame): void;
  onFrame(frame: ServerFrame): void;
  onUnreadable(error: unknown): void;
  /** A `ping` is due. */
  onSilence(): void;
  /** Called every half `silenceMs` while the session is live. */
  onTick(): void;
  onEnd(end: SessionEnd): void;
}

// Browsers allow no other code than 1000 and 3000–4999.
const normalClosure = 1000;

export function openSession(input: SessionInput): Session {
  const { runtime } = input;
  const readServerFrame = createReadServerFrame();
  let socket: SocketLike | undefined;
  let hasEnded = false;
  let isReady = false;
  let cancelTimer: CancelTimer = runtime.setTimer(() => end({ kind: 'timed_out' }), input.connectTimeoutMs);
  let silentTicks = 0;

  void open();

  return {
    send: (frame) => socket?.send(frame),
    get encoding() {
      return socket?.protocol === binarySubprotocol ? 'binary' : 'json';
    },
    leave: () => dispose(),
  };

  async function open(): Promise<void> {
    try {
      const { protocols, headers } = await input.authenticate();
      if (hasEnded) return;
      socket = input.createSocket(input.url, protocols, headers);
      if (protocols.includes(binarySubprotocol)) socket.binaryType = 'arraybuffer';
    } catch (error) {
      end({ kind: 'not_opened', error });
      return;
    }
    socket.onmessage = ({ data }) => receive(data);
    socket.onclose = ({ code, reason }) => end({ kind: 'socket_closed', code, reason });
    // A `close` follows every error and carries the code.
    socket.onerror = () => undefined;
  }

  function receive(data: unknown): void {
    silentTicks = 0;
    const frame = readServerFrame(data);
    if (frame === undefined) return;
    if (frame instanceof Error) {
      input.onUnreadable(frame);
    } else if (frame.type === 'ready' && !isReady) {
      isReady = true;
      cancelTimer();
      tickLater();
      input.onReady(frame);
    } else {
      input.onFrame(frame);
    }
  }

  /** Counts ticks instead of reading a clock, which may jump, or stand still while the device sleeps. */
  function tickLater(): void {
    cancelTimer = runtime.setTimer(() => {
      silentTicks += 1;
      if (silentTicks >= 4) {
        end({ kind: 'silent' });
        return;
      }
      tickLater();
      if (silentTicks === 2) input.onSilence();
      input.onTick();
    }, input.silenceMs / 2);
  }

  function end(reason: SessionEnd): void {
    if (hasEnded) return;
    dispose();
    input.onEnd(reason);
  }

  function dispose(): void {
    hasEnded = true;
    cancelTimer();
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    // onerror stays: some runtimes throw errors that nobody listens to.
    socket.close(normalClosure);
  }
}
