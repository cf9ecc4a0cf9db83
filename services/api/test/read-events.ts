import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { type Call, type TestApi, tokenOf } from './test-api.ts';

export interface SentEvent {
  event?: string;
  id?: string;
  data?: ServerFrame;
  retry?: number;
}

export interface EventReader {
  status: number;
  headers: IncomingMessage['headers'];
  /** All that came so far but comments, oldest first. */
  readonly events: readonly SentEvent[];
  readonly comments: number;
  readonly isOver: boolean;
  /** The next frame of this type that was not asked for yet; what came before it is passed over. */
  next<Type extends ServerFrame['type']>(
    type: Type,
  ): Promise<{ id: string | undefined; frame: Extract<ServerFrame, { type: Type }> }>;
  over(): Promise<void>;
  close(): void;
}

const soon = { withinMs: 10_000 };

/** Follow a trip as a client by the letter of the HTML standard (§9.2.6) would. */
export async function readEvents(
  api: TestApi,
  tripId: string,
  {
    as,
    lastEventId,
    token,
    query = '',
  }: { as: NonNullable<Call['as']>; lastEventId?: string; token?: string; query?: string },
): Promise<EventReader> {
  // A connection of its own, gone with the stream.
  const request = get(`${api.url}/v1/trips/${tripId}/events${query}`, {
    agent: false,
    headers: {
      accept: 'text/event-stream',
      authorization: `Bearer ${token ?? tokenOf(as.role, as.userId)}`,
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    },
  });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.setEncoding('utf8');
  const events: SentEvent[] = [];
  let asked = 0;
  let comments = 0;
  let isOver = false;

  void (async () => {
    let rest = '';
    try {
      for await (const chunk of response) {
        const blocks = (rest + chunk).split('\n\n');
        rest = blocks.pop() as string;
        for (const block of blocks) {
          if (block.startsWith(':')) comments += 1;
          else events.push(toEvent(block));
        }
      }
    } catch {
      // Cut: over, as well.
    }
    isOver = true;
  })();

  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    events,
    get comments() {
      return comments;
    },
    get isOver() {
      return isOver;
    },
    async next(type) {
      const found = await waitFor(
        () => {
          while (asked < events.length) {
            const event = events[asked] as SentEvent;
            asked += 1;
            if (event.data?.type === type) return event;
          }
          return undefined;
        },
        { ...soon, what: `a frame of type ${type}` },
      );
      return { id: found.id, frame: found.data as never };
    },
    over: () => waitFor(() => isOver, { ...soon, what: 'the end of the stream' }).then(() => undefined),
    close: () => request.destroy(),
  };
}

function toEvent(block: string): SentEvent {
  const event: SentEvent = {};
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')];
    if (name === 'data') event.data = JSON.parse(value) as ServerFrame;
    if (name === 'event') event.event = value;
    if (name === 'id') event.id = value;
    if (name === 'retry') event.retry = Number(value);
  }
  return event;
}
