import type { FetchLike, ResponseLike } from '../../src/http/fetch.ts';

export interface FakeAnswer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface FakeApi {
  fetch: FetchLike;
  readonly requests: { url: string; method: string; headers: Record<string, string>; body: string | undefined }[];
  /** Answers in order; when they are used up, tickets. An Error stands for a network that fails. */
  readonly answers: (FakeAnswer | Error)[];
}

/** An API that gives tickets, or what a test tells it to. */
export function createFakeApi(): FakeApi {
  const api: FakeApi = {
    requests: [],
    answers: [],
    fetch(url, init = {}) {
      const headers = { ...(init.headers as Record<string, string>) };
      api.requests.push({ url, method: init.method ?? 'GET', headers, body: init.body as string | undefined });
      const ticket = { ticket: `ticket-${api.requests.length}`, expiresAt: '2030-01-01T00:00:00.000Z' };
      const answer = api.answers.shift() ?? { status: 201, body: ticket };
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(toResponse(answer));
    },
  };
  return api;
}

/** A problem+json answer. */
export function problem(status: number, code: string, headers: Record<string, string> = {}): FakeAnswer {
  return { status, body: { type: 'about:blank', title: code, status, code, correlationId: 'c-1' }, headers };
}

export function toResponse({ status, body, headers = {} }: FakeAnswer): ResponseLike {
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? null);
  return { status, headers: { get: (name) => headers[name] ?? null }, text: () => Promise.resolve(text) };
}
