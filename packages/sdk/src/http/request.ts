import { toRuntime } from '../connection/runtime.ts';
import { createAccessTokens } from './access-tokens.ts';
import type { AbortSignalLike, FetchLike, ResponseLike } from './fetch.ts';
import { createAbortController, defaultFetch } from './fetch.ts';
import type { GetToken } from './get-token.ts';
import { HttpProblem, toHttpProblem } from './http-problem.ts';
import { isOfToken } from './token-refusals.ts';

export interface RequestSettings {
  /** Origin of the API without a path, `https://api.example.com`. */
  apiUrl: string;
  getToken: GetToken;
  fetch?: FetchLike;
  /** A request without an answer ends after this; default 15 s. */
  timeoutMs?: number;
}

export interface Request {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  query?: Record<string, string | number | undefined>;
  body?: unknown;
  headers?: Record<string, string>;
  /** A long poll waits this long on the server before its answer is late. */
  waitMs?: number;
  signal?: AbortSignalLike;
}

export type SendRequest = (request: Request) => Promise<ResponseLike>;

/** Sends requests with the token, where there is one, and a deadline. Answers of 2xx and 304 are returned. @throws HttpProblem for everything else */
export function createSendRequest(
  settings: Omit<RequestSettings, 'getToken'> & Partial<Pick<RequestSettings, 'getToken'>>,
): SendRequest {
  const { timeoutMs = 15_000 } = settings;
  const tokens = settings.getToken && createAccessTokens(settings.getToken);
  const apiUrl = settings.apiUrl.replace(/\/+$/, '');
  const fetch = settings.fetch ?? defaultFetch();
  const runtime = toRuntime({});

  return async (request) => {
    const token = await tokens?.get();
    const controller = createAbortController();
    const abort = (): void => controller.abort();
    const cancelTimer = runtime.setTimer(abort, timeoutMs + (request.waitMs ?? 0));
    request.signal?.addEventListener('abort', abort, { once: true });
    if (request.signal?.aborted) abort();

    try {
      const response = await fetch(`${apiUrl}${request.path}${toQueryString(request.query)}`, {
        method: request.method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...request.headers,
        },
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        signal: controller.signal,
      });
      if (response.status !== 401) tokens?.accept();
      if (response.status < 300 || response.status === 304) return await readWhole(response);
      const problem = await toHttpProblem(response, runtime.now());
      if (isOfToken(problem.code)) tokens?.refuse(token);
      throw problem;
    } catch (cause) {
      if (cause instanceof HttpProblem) throw cause;
      throw new HttpProblem({ code: 'unreachable', status: 0, message: 'No answer came from the API', cause });
    } finally {
      cancelTimer();
      request.signal?.removeEventListener('abort', abort);
    }
  };
}

/** The body belongs under the deadline too: a server may hang after its headers. */
async function readWhole(response: ResponseLike): Promise<ResponseLike> {
  const body = await response.text();
  return { status: response.status, headers: response.headers, text: () => Promise.resolve(body) };
}

function toQueryString(query: Request['query'] = {}): string {
  const pairs = Object.entries(query).filter((pair): pair is [string, string | number] => pair[1] !== undefined);
  if (pairs.length === 0) return '';
  return `?${pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`;
}
