import type { ErrorCode } from '@hushryd/contracts/errors';
import type { Problem } from '@hushryd/contracts/http/problem';
import type { ForwardedSos, SosReply } from '@hushryd/contracts/http/sos';
import type { ForwardedSosFixes, SosFixesReply } from '@hushryd/contracts/http/sos-trail';
import { AppError } from '@hushryd/platform/errors/app-error';
import { Agent, request } from 'undici';

/** Pass a press on, under an id by which it is found in the logs. @throws AppError: below 500 the press itself is refused, else nobody could take it in time */
export type ForwardSos = (press: ForwardedSos, correlationId: string) => Promise<SosReply>;

/** Pass fixes of an alert on. @throws AppError: what the api says is wrong with them, or `access_unavailable`: send them again */
export type ForwardSosFixes = (fixes: ForwardedSosFixes) => Promise<SosFixesReply>;

export interface SosForward {
  forward: ForwardSos;
  forwardFixes: ForwardSosFixes;
  close(): Promise<void>;
}

const maxAddresses = 2;

/** What the api may say of an alert's fixes that the phone has to hear as it is. */
const tellable = new Set<ErrorCode>(['not_found', 'sos_state_conflict']);

/**
 * Presses, and fixes of an alert, that came over a socket, to the api's internal listener: two addresses, one after the other, each with the same deadline. The
 * second one may get a press that the first has stored without a word: by its id it is the same.
 *
 * On connections of its own: questions about trips never make an alert wait. They are opened when the first one comes.
 */
export function createSosForward({
  urls,
  serviceToken,
  timeoutMs,
}: {
  urls: readonly string[];
  serviceToken: string;
  timeoutMs: number;
}): SosForward {
  const dispatcher = new Agent({ connections: 16, pipelining: 1 });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${serviceToken}` };

  function post(url: string, path: string, body: object, more: Record<string, string> = {}) {
    const signal = AbortSignal.timeout(timeoutMs);
    return request(new URL(path, url), {
      method: 'POST',
      headers: { ...headers, ...more },
      body: JSON.stringify(body),
      dispatcher,
      signal,
    });
  }

  async function ask(url: string, press: ForwardedSos, correlationId: string): Promise<SosReply> {
    const { statusCode, body } = await post(url, '/internal/sos', press, { 'x-request-id': correlationId });
    if (statusCode === 201 || statusCode === 202) return (await body.json()) as SosReply;
    const problem = (await body.json()) as Partial<Problem>;
    // A token of ours that is refused is our mistake, and not the phone's.
    if (statusCode === 400) throw new AppError('frame_invalid', { detail: problem.detail ?? 'refused by the api' });
    throw new AppError('sos_not_persisted', { detail: `the api answered ${statusCode}` });
  }

  async function askForFixes(url: string, fixes: ForwardedSosFixes): Promise<SosFixesReply> {
    const { statusCode, body } = await post(url, '/internal/sos-fixes', fixes);
    if (statusCode === 200) return (await body.json()) as SosFixesReply;
    const { code, detail } = (await body.json()) as Partial<Problem>;
    if (code !== undefined && tellable.has(code as ErrorCode)) {
      throw new AppError(code as ErrorCode, { ...(detail !== undefined && { detail }) });
    }
    throw new Error(`The internal listener answered ${statusCode}`);
  }

  /** Whoever is asked first and fails leaves it to the next. */
  async function askInTurn<Reply>(code: ErrorCode, work: (url: string) => Promise<Reply>): Promise<Reply> {
    let last: unknown;
    for (const url of urls.slice(0, maxAddresses)) {
      try {
        return await work(url);
      } catch (error) {
        if (error instanceof AppError && error.status < 500) throw error;
        last = error;
      }
    }
    throw new AppError(code, { cause: last });
  }

  return {
    forward: (press, correlationId) => askInTurn('sos_not_persisted', (url) => ask(url, press, correlationId)),
    forwardFixes: (fixes) => askInTurn('access_unavailable', (url) => askForFixes(url, fixes)),
    close: () => dispatcher.destroy(),
  };
}
