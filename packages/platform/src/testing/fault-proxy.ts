import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { TestScope } from './engines.ts';
import { carry, type FaultStream, type StreamFaults } from './fault-stream.ts';
import { createRandom } from './random.ts';

export interface ProxyFaults {
  /** From the client to the server. One direction alone makes a one-way network. */
  readonly toServer?: StreamFaults;
  readonly toClient?: StreamFaults;
}

export interface Cut {
  /**
   * `before`: the server never sees the bytes. `after`: the server gets them and answers, and the answer is lost: whoever asked cannot
   * know whether it was done.
   */
  readonly when: 'before' | 'after';
  /** Which bytes from the client; any without it. */
  readonly fits?: (chunk: Buffer) => boolean;
}

/** A TCP proxy on 127.0.0.1 that breaks connections the way networks do. */
export interface FaultProxy {
  readonly port: number;
  readonly connectionCount: number;
  /** Replaces the faults, for open and new connections alike. */
  setFaults(faults: ProxyFaults): void;
  /** Ends every fault. */
  heal(): void;
  /**
   * Breaks the open connections that are marked (see `startFaultProxy`), for as long as they last; new ones are whole.
   * @returns how many of these are left
   */
  breakMarked(faults: ProxyFaults): () => number;
  /** Ends every connection with RST. */
  resetAll(): void;
  /** Cuts one connection with RST at the next bytes that fit. Resolves when it is done. */
  cutNext(cut: Cut): Promise<void>;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  streams: FaultStream[];
  isMarked: boolean;
  /** Faults of its own, instead of everybody's. */
  own?: ProxyFaults;
  /** Set while the answer to cut bytes is awaited. */
  onAnswer?: () => void;
}

/**
 * Starts a proxy before `target`; it ends with the test. Jitter and corruption repeat for the same `seed`.
 *
 * @param target.marks bytes by which a connection is told from others of the same client: it is marked once it has sent such
 */
export async function startFaultProxy(
  t: TestScope,
  target: {
    readonly host?: string;
    readonly port: number;
    readonly seed?: number;
    readonly marks?: (chunk: Buffer) => boolean;
  },
): Promise<FaultProxy> {
  const random = createRandom(target.seed ?? 1);
  const pairs = new Set<Pair>();
  let faults: ProxyFaults = {};
  let pendingCut: { cut: Cut; done: () => void } | undefined;

  const listener = createServer({ allowHalfOpen: true }, (client) => {
    const server = connect({ host: target.host ?? '127.0.0.1', port: target.port, allowHalfOpen: true });
    const pair: Pair = { client, server, streams: [], isMarked: false };
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      // 'close' follows every error and says whether there was one.
      socket.on('error', () => undefined);
      socket.once('close', () => {
        if (client.destroyed && server.destroyed) pairs.delete(pair);
      });
    }
    pairs.add(pair);
    const toServer = { from: client, to: server, faults: () => (pair.own ?? faults).toServer ?? {} };
    const toClient = { from: server, to: client, faults: () => (pair.own ?? faults).toClient ?? {} };
    pair.streams = [
      carry({ ...toServer, random, offer: (chunk) => offerToServer(pair, chunk) }),
      carry({ ...toClient, random, offer: () => offerToClient(pair) }),
    ];
  });

  function offerToServer(pair: Pair, chunk: Buffer): boolean {
    pair.isMarked ||= target.marks?.(chunk) ?? false;
    if (!pendingCut || !(pendingCut.cut.fits?.(chunk) ?? true)) return true;
    const { cut, done } = pendingCut;
    pendingCut = undefined;
    const cutNow = () => {
      reset(pair);
      done();
    };
    if (cut.when === 'before') cutNow();
    else pair.onAnswer = cutNow;
    return cut.when === 'after';
  }

  function offerToClient(pair: Pair): boolean {
    if (!pair.onAnswer) return true;
    pair.onAnswer();
    return false;
  }

  function reset({ client, server }: Pair): void {
    for (const socket of [client, server]) {
      // libuv refuses to reset what is shutting down, Node forgets to close it then, and its process spins at the end for ever.
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  function setFaults(next: ProxyFaults): void {
    faults = next;
    for (const pair of pairs) for (const stream of pair.streams) stream.wake();
  }

  async function close(): Promise<void> {
    for (const pair of pairs) reset(pair);
    if (!listener.listening) return;
    listener.close();
    await once(listener, 'close');
  }

  listener.listen({ host: '127.0.0.1', port: 0 });
  await once(listener, 'listening');
  t.teardown(close);
  return {
    port: (listener.address() as AddressInfo).port,
    get connectionCount() {
      return pairs.size;
    },
    setFaults,
    heal: () => setFaults({}),
    breakMarked(own) {
      const broken = [...pairs].filter(({ isMarked }) => isMarked);
      for (const pair of broken) pair.own = own;
      return () => broken.filter(({ client }) => !client.destroyed && !client.readableEnded).length;
    },
    resetAll: () => {
      for (const pair of pairs) reset(pair);
    },
    cutNext: (cut) =>
      new Promise((done) => {
        pendingCut = { cut, done };
      }),
    close,
  };
}
