import type { Runtime } from '../connection/runtime.ts';
import { createAbortController, defaultFetch, type FetchLike } from '../http/fetch.ts';
import type { GetToken } from '../http/get-token.ts';
import { HttpProblem, toHttpProblem } from '../http/http-problem.ts';
import { isOfToken } from '../http/token-refusals.ts';

/** Send something of an alert over HTTPS. @throws HttpProblem */
export type PostWithNewestToken = <Reply>(apiUrl: string, path: string, body: unknown) => Promise<Reply>;

/** An alert that the server takes within its own deadlines is answered in 2.5 s. */
const timeoutMs = 5_000;

/** `POST` with the newest token that there is: where no new one can be had, an old one will do for a day. */
export function createPostWithNewestToken({
  getToken,
  fetch = defaultFetch(),
  runtime,
}: {
  getToken: GetToken;
  fetch?: FetchLike | undefined;
  runtime: Runtime;
}): PostWithNewestToken {
  let newest: string | undefined;
  let refused: string | undefined;

  async function currentToken(): Promise<string> {
    const known = newest;
    const asked = Promise.resolve(getToken({ ...(refused !== undefined && { refused }) }));
    try {
      newest = known === undefined ? await asked : await Promise.race([asked, after(1_000, known)]);
    } catch (cause) {
      if (known === undefined) {
        throw new HttpProblem({ code: 'unreachable', status: 0, message: 'No token could be had', cause });
      }
    }
    return newest as string;
  }

  function after<Value>(delayMs: number, value: Value): Promise<Value> {
    return new Promise((resolve) => void runtime.setTimer(() => resolve(value), delayMs));
  }

  return async <Reply>(apiUrl: string, path: string, body: unknown) => {
    const token = await currentToken();
    const controller = createAbortController();
    const cancelTimer = runtime.setTimer(() => controller.abort(), timeoutMs);
    try {
      const response = await fetch(`${apiUrl.replace(/\/+$/, '')}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: controller.signal,
      });
      if (response.status >= 200 && response.status < 300) {
        refused = undefined;
        return JSON.parse(await response.text()) as Reply;
      }
      const problem = await toHttpProblem(response, runtime.now());
      if (isOfToken(problem.code)) refused = token;
      throw problem;
    } catch (cause) {
      if (cause instanceof HttpProblem) throw cause;
      throw new HttpProblem({ code: 'unreachable', status: 0, message: 'No answer came from the API', cause });
    } finally {
      cancelTimer();
    }
  };
}
