import type { ResponseLike } from './fetch.ts';
import { HttpProblem } from './http-problem.ts';
import type { Request, SendRequest } from './request.ts';

/** JSON in, JSON out. Every call may throw `HttpProblem`. */
export interface Ask {
  json<Reply>(request: Request): Promise<Reply>;
  get<Reply>(path: string, query?: Request['query']): Promise<Reply>;
  post<Reply>(path: string, body: unknown, headers?: Record<string, string>): Promise<Reply>;
  put<Reply>(path: string, body: unknown): Promise<Reply>;
  /** The status says everything. */
  done(request: Request): Promise<void>;
  /** Files may be long, and long in coming. */
  file(path: string, query?: Request['query']): Promise<string>;
}

export function createAsk(send: SendRequest): Ask {
  const json = async <Reply>(request: Request): Promise<Reply> => parseJson<Reply>(await send(request));
  return {
    json,
    get: (path, query) => json({ method: 'GET', path, ...(query && { query }) }),
    post: (path, body, headers = {}) => json({ method: 'POST', path, body, headers }),
    put: (path, body) => json({ method: 'PUT', path, body }),
    async done(request) {
      await send(request);
    },
    async file(path, query) {
      const response = await send({ method: 'GET', path, waitMs: 60_000, ...(query && { query }) });
      return response.text();
    },
  };
}

/** @throws HttpProblem `unreadable` */
export async function parseJson<Reply>(response: ResponseLike): Promise<Reply> {
  try {
    return JSON.parse(await response.text()) as Reply;
  } catch (cause) {
    throw new HttpProblem({ code: 'unreadable', status: response.status, message: 'The answer is not JSON', cause });
  }
}
