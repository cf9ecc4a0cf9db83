import type { IncomingMessage } from 'node:http';
import Type, { type Static, type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { channelOf, type ProviderName } from '../provider.ts';
import { faultModes } from './fault-plan.ts';
import { RequestError, readJsonBody } from './http-exchange.ts';
import type { MessageFilter } from './message-store.ts';
import { PhoneError } from './phones.ts';
import type { Sandbox } from './sandbox.ts';

/** What a route answers; 204 without a body. */
export interface ControlAnswer {
  readonly status: number;
  readonly body?: unknown;
}

const providerNames = Object.keys(channelOf) as ProviderName[];

const FaultSchema = Type.Object(
  {
    provider: Type.Union(providerNames.map((name) => Type.Literal(name))),
    mode: Type.Union(faultModes.map((mode) => Type.Literal(mode))),
    recipient: Type.Optional(Type.String({ minLength: 1 })),
    count: Type.Optional(Type.Integer({ minimum: 1 })),
    probability: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    retryAfterSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 3_600 })),
    dripEveryMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 60_000 })),
  },
  { additionalProperties: false },
);
const DigitsSchema = Type.Object({ digits: Type.Optional(Type.String({ pattern: '^[0-9*#]{1,32}$' })) });
const WebhooksSchema = Type.Object({ baseUrl: Type.String({ pattern: '^https?://' }) });

const longestWaitMs = 60_000;

/**
 * The control API, below `/sandbox`: JSON in, JSON out.
 *
 * @returns undefined where there is no such route
 * @throws RequestError
 */
export async function answerControl(
  sandbox: Sandbox,
  request: IncomingMessage,
  url: URL,
): Promise<ControlAnswer | undefined> {
  const route = `${request.method} ${url.pathname}`;
  const filter = readFilter(url.searchParams);
  switch (route) {
    case 'GET /sandbox/environment':
      return { status: 200, body: sandbox.environment };
    case 'GET /sandbox/messages':
      return { status: 200, body: { lastSeq: sandbox.messages.lastSeq, messages: sandbox.messages.list(filter) } };
    case 'GET /sandbox/messages/next':
      return waitForNext(sandbox, request, filter, url.searchParams);
    case 'GET /sandbox/faults':
      return { status: 200, body: { faults: sandbox.faults.list() } };
    case 'PUT /sandbox/faults':
      sandbox.faults.set(read(FaultSchema, await readJsonBody(request)) as Parameters<typeof sandbox.faults.set>[0]);
      return { status: 204 };
    case 'DELETE /sandbox/faults':
      sandbox.faults.clear(url.searchParams.get('provider') ?? undefined);
      return { status: 204 };
    case 'PUT /sandbox/webhooks':
      sandbox.sendWebhooksTo(read(WebhooksSchema, await readJsonBody(request)).baseUrl);
      return { status: 204 };
    case 'POST /sandbox/google-tokens/revoke':
      sandbox.revokeGoogleTokens();
      return { status: 204 };
    case 'POST /sandbox/reset':
      sandbox.reset();
      return { status: 204 };
    case 'GET /sandbox/stats':
      return { status: 200, body: sandbox.stats() };
    default:
      return answerPhone(sandbox, request, url.pathname);
  }
}

/** `POST /sandbox/messages/ID/answer` and its like: what somebody with the phone in their hand does. */
async function answerPhone(
  sandbox: Sandbox,
  request: IncomingMessage,
  path: string,
): Promise<ControlAnswer | undefined> {
  const [, encoded, act] = /^\/sandbox\/messages\/([^/]+)\/(answer|press|decline|hang-up|read)$/.exec(path) ?? [];
  if (encoded === undefined || request.method !== 'POST') return undefined;
  const id = decodeURIComponent(encoded);
  const { digits } = read(DigitsSchema, await readJsonBody(request));
  const { phones } = sandbox;
  try {
    switch (act) {
      case 'answer':
        return { status: 200, body: await phones.answer(id, digits) };
      case 'press':
        if (digits === undefined) throw new RequestError(400, 'Say which digits are pressed.');
        return { status: 200, body: await phones.press(id, digits) };
      case 'decline':
        return { status: 200, body: phones.decline(id) };
      case 'hang-up':
        return { status: 200, body: phones.hangUp(id) };
      default:
        return { status: 200, body: phones.read(id) };
    }
  } catch (error) {
    if (error instanceof PhoneError) throw new RequestError(409, error.message);
    throw error;
  }
}

/** 204 where none came in time. */
async function waitForNext(
  sandbox: Sandbox,
  request: IncomingMessage,
  filter: MessageFilter,
  query: URLSearchParams,
): Promise<ControlAnswer> {
  const timeoutMs = Math.min(longestWaitMs, Number(query.get('timeoutMs') ?? 10_000) || 10_000);
  const ending = new AbortController();
  const end = () => ending.abort();
  const timer = setTimeout(end, timeoutMs);
  request.socket.once('close', end);
  try {
    const message = await sandbox.messages.next(filter, { signal: ending.signal });
    return message === undefined ? { status: 204 } : { status: 200, body: message };
  } finally {
    clearTimeout(timer);
    request.socket.off('close', end);
  }
}

function readFilter(query: URLSearchParams): MessageFilter {
  const since = query.get('since');
  return {
    recipient: query.get('recipient') ?? undefined,
    channel: query.get('channel') ?? undefined,
    provider: query.get('provider') ?? undefined,
    attemptId: query.get('attemptId') ?? undefined,
    since: since === null ? undefined : Number(since),
  };
}

function read<Schema extends TSchema>(schema: Schema, value: unknown): Static<Schema> {
  if (Value.Check(schema, value)) return value as Static<Schema>;
  const [first] = Value.Errors(schema, value);
  throw new RequestError(400, `${first?.instancePath || 'The body'} ${first?.message ?? 'does not fit'}.`);
}
