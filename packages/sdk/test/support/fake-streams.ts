import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import type { FetchLike, ResponseLike } from '../../src/http/fetch.ts';
import type { FakeAnswer } from './fake-api.ts';
import { toResponse } from './fake-api.ts';

/** The server's end of one event stream. */
export interface FakeStream {
  readonly url: string;
  readonly lastEventId: string | undefined;
  readonly isOpen: boolean;
  /** In pieces that are cut anywhere. */
  say(...frames: ServerFrame[]): void;
  sayText(text: string): void;
  end(): void;
}

export interface FakeStreams {
  fetch: FetchLike;
  readonly streams: FakeStream[];
  /** The newest. */
  readonly last: FakeStream;
  /** Answers to what asks for no stream, oldest first: method, path and body. */
  readonly posts: { path: string; body: unknown }[];
  /** Does the api answer at all? */
  isReachable: boolean;
  /** Can the runtime read a body before it is complete? */
  canStream: boolean;
  /** What of a stream something on the way keeps until it is complete, as some proxies do. */
  holdsBack: 'nothing' | 'bodies' | 'answers';
  /** Answers a request instead of the usual. */
  answer?: (path: string, body: unknown) => FakeAnswer | undefined;
}

export const encodeFrame = (frame: ServerFrame): string => `event: ${frame.type}\ndata: ${JSON.stringify(frame)}\n\n`;

/** An api whose event streams a test plays. */
export function createFakeStreams(): FakeStreams {
  const api: FakeStreams = {
    streams: [],
    posts: [],
    isReachable: true,
    canStream: true,
    holdsBack: 'nothing',
    get last() {
      const last = api.streams.at(-1);
      if (!last) throw new Error('No stream was opened');
      return last;
    },
    async fetch(url, init = {}) {
      if (!api.isReachable) throw new TypeError('fetch failed');
      const path = url.replace(/^https?:\/\/[^/]+/, '');
      const body: unknown = init.body === undefined ? undefined : JSON.parse(String(init.body));
      const answer = api.answer?.(path, body);
      if (answer !== undefined) {
        api.posts.push({ path, body });
        return toResponse(answer);
      }
      if (path === '/health/live') return toResponse({ status: 200, body: {} });
      if (path === '/v1/realtime/tickets') return toResponse({ status: 201, body: { ticket: 'ticket-1' } });
      return open(path, init);
    },
  };
  return api;

  function open(path: string, init: Parameters<FetchLike>[1] & object): ResponseLike | Promise<ResponseLike> {
    const isStream = !path.includes('waitSeconds');
    const { stream, response, ended } = openStream(path, init);
    api.streams.push(stream);
    // As the api does at once.
    if (isStream && api.holdsBack === 'nothing') stream.sayText('retry: 2000\n\n');
    return isStream && api.holdsBack === 'answers' ? ended.then(() => response) : response;
  }

  function openStream(path: string, { headers, signal }: Parameters<FetchLike>[1] & object) {
    const pieces: Uint8Array[] = [];
    let markEnded: () => void = () => undefined;
    let refuse: (error: Error) => void = () => undefined;
    const ended = new Promise<void>((resolve, reject) => {
      markEnded = resolve;
      refuse = reject;
    });
    ended.catch(() => undefined);
    let isOpen = true;
    let wake: () => void = () => undefined;
    let cut: Error | undefined;
    (signal as AbortSignal | undefined)?.addEventListener('abort', () => {
      cut = new Error('aborted');
      isOpen = false;
      refuse(cut);
      wake();
    });
    const read = async (): Promise<{ done: boolean; value?: Uint8Array }> => {
      for (;;) {
        if (cut) throw cut;
        const value = pieces.shift();
        if (value) return { done: false, value };
        if (!isOpen) return { done: true };
        await new Promise<void>((resolve) => (wake = resolve));
      }
    };
    const stream: FakeStream = {
      url: path,
      lastEventId: (headers as Record<string, string>)['last-event-id'],
      get isOpen() {
        return isOpen;
      },
      say(...frames) {
        const text = frames.map(encodeFrame).join('');
        const middle = Math.floor(text.length / 2);
        stream.sayText(text.slice(0, middle));
        stream.sayText(text.slice(middle));
      },
      sayText(text) {
        pieces.push(new TextEncoder().encode(text));
        wake();
      },
      end() {
        isOpen = false;
        markEnded();
        wake();
      },
    };
    const response: ResponseLike = {
      status: 200,
      headers: { get: () => null },
      ...(api.canStream && { body: { getReader: () => ({ read }) } }),
      async text() {
        let text = '';
        for (let { done, value } = await read(); !done; { done, value } = await read()) {
          text += new TextDecoder().decode(value);
        }
        return text;
      },
    };
    return { stream, response, ended };
  }
}
