import { once } from 'node:events';
import type { ClientFrame } from '@hushryd/contracts/realtime/client-frames';
import { jsonSubprotocol, realtimePath, ticketSubprotocolPrefix } from '@hushryd/contracts/realtime/limits';
import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import { within } from '@hushryd/platform/testing/wait-for';
import { WebSocket } from 'undici';

type FrameOf<Type extends ServerFrame['type']> = Extract<ServerFrame, { type: Type }>;

/** A websocket that speaks the protocol frame by frame, without the SDK's help: what a third client would do. */
export interface PlainSocket {
  send(frame: ClientFrame): void;
  /** Send with a number of its own; gives the frame that answers it. @throws Error with the `error` frame's code */
  request<Type extends ServerFrame['type']>(frame: ClientFrame, answer: Type): Promise<FrameOf<Type>>;
  /** Everything heard so far, oldest first. */
  readonly frames: readonly ServerFrame[];
  /** Of these, the ones of one type. */
  heard<Type extends ServerFrame['type']>(type: Type): FrameOf<Type>[];
  /** The first frame that fits, heard already or yet to come. */
  waitFor<Type extends ServerFrame['type']>(
    type: Type,
    fits?: (frame: FrameOf<Type>) => boolean,
  ): Promise<FrameOf<Type>>;
  /** How the socket ended, or will end shortly. */
  ended(): Promise<{ code: number; reason: string }>;
  close(): Promise<void>;
}

const answerWithinMs = 30_000;

/**
 * @param url of a realtime node, `http://…` or `ws://…`
 * @param auth a token, or a ticket from the api
 */
export async function openPlainSocket(url: string, auth: string | { ticket: string }): Promise<PlainSocket> {
  const address = `${url.replace('http', 'ws')}${realtimePath}`;
  const socket =
    typeof auth === 'string'
      ? new WebSocket(address, { protocols: [jsonSubprotocol], headers: { authorization: `Bearer ${auth}` } })
      : new WebSocket(address, [jsonSubprotocol, ticketSubprotocolPrefix + auth.ticket]);
  const frames: ServerFrame[] = [];
  const waiting = new Set<(frame: ServerFrame) => void>();
  const closed = once(socket, 'close').then(([{ code, reason }]) => ({ code: code as number, reason: String(reason) }));
  const ended = closed.then(({ code, reason }) => {
    throw new Error(`the socket was closed with ${code} ${reason}`);
  });
  ended.catch(() => undefined);
  socket.addEventListener('message', ({ data }) => {
    const frame = JSON.parse(String(data)) as ServerFrame;
    frames.push(frame);
    for (const offer of waiting) offer(frame);
  });
  const opened = once(socket, 'open');
  const failed = once(socket, 'error').then(([event]) => {
    throw new Error(`${url} refused the socket`, { cause: event });
  });
  await within(Promise.race([opened, failed]), { withinMs: answerWithinMs, what: 'the open socket' });
  failed.catch(() => undefined);
  let lastId = 0;

  function waitForFrame(fits: (frame: ServerFrame) => boolean, what: string): Promise<ServerFrame> {
    const heard = frames.find(fits);
    if (heard) return Promise.resolve(heard);
    const coming = new Promise<ServerFrame>((resolve) => {
      const offer = (frame: ServerFrame) => {
        if (!fits(frame)) return;
        waiting.delete(offer);
        resolve(frame);
      };
      waiting.add(offer);
    });
    return within(Promise.race([coming, ended]), { withinMs: answerWithinMs, what });
  }

  const plain: PlainSocket = {
    frames,
    ended: () => within(closed, { withinMs: answerWithinMs, what: 'the end of the socket' }),
    send: (frame) => socket.send(JSON.stringify(frame)),
    async request(frame, answer) {
      lastId += 1;
      const id = lastId;
      socket.send(JSON.stringify({ ...frame, id }));
      const reply = await waitForFrame((heard) => 'id' in heard && heard.id === id, `the answer to ${frame.type}`);
      if (reply.type === 'error') {
        const { code, retryable: isRetryable } = reply;
        throw Object.assign(new Error(`${frame.type}: ${code}`), { code, isRetryable });
      }
      if (reply.type !== answer) throw new Error(`${frame.type}: ${answer} expected, ${reply.type} came`);
      return reply as FrameOf<typeof answer>;
    },
    heard: (type) => frames.filter((frame) => frame.type === type) as FrameOf<typeof type>[],
    waitFor: (type, fits = () => true) =>
      waitForFrame(
        (frame) => frame.type === type && fits(frame as FrameOf<typeof type>),
        `a frame of type ${type}`,
      ) as Promise<FrameOf<typeof type>>,
    async close() {
      if (socket.readyState === WebSocket.CLOSED) return;
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
  await plain.waitFor('ready');
  return plain;
}

/** Try again, as clients do, what was refused for the moment: on a loaded machine Redis may miss a deadline. */
export async function patiently<Result>(request: () => Promise<Result>): Promise<Result> {
  const deadlineMs = Date.now() + answerWithinMs;
  for (;;) {
    try {
      return await request();
    } catch (error) {
      if (!(error as { isRetryable?: boolean }).isRetryable || Date.now() > deadlineMs) throw error;
    }
  }
}
