import type { RevocationsReply } from '@hushryd/contracts/http/sessions';
import type { SosAccessQuestion, SosAccessReply, SosView } from '@hushryd/contracts/http/sos';
import type { TripAccessReply } from '@hushryd/contracts/http/trip-access';
import type { ReadRevocations } from '@hushryd/tracking/revocations/revocations';
import type { ResolveAccess } from '@hushryd/tracking/trip-access/access-cache';
import { Agent, request } from 'undici';
import type { ResolveSosAccess } from './fanout/alert-rooms.ts';

export interface InternalApi {
  /** Records of these trips; ids without one are no trips. @throws where no address answers in time */
  resolveAccess: ResolveAccess;
  /** All revoked tokens that have not run out. @throws where no address answers in time */
  readRevocations: ReadRevocations;
  /** Who may hear of which alert. @throws where no address answers in time */
  resolveSosAccess: ResolveSosAccess;
  /** Does any address answer, whatever it says? All are asked at once. @returns latency in milliseconds @throws after `deadlineMs` */
  ping(deadlineMs: number): Promise<number>;
  close(): Promise<void>;
}

/**
 * The api's internal listener, which knows what Redis has lost. Addresses are tried in order, each with the same deadline.
 *
 * Cost: one request, for up to 500 trips or all revocations.
 */
export function createInternalApi({
  urls,
  serviceToken,
  timeoutMs,
}: {
  urls: readonly string[];
  serviceToken: string;
  timeoutMs: number;
}): InternalApi {
  const dispatcher = new Agent({ connections: 8, pipelining: 1 });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${serviceToken}` };

  async function ask<Reply>(url: string, path: string, question?: object): Promise<Reply> {
    const { statusCode, body } = await request(new URL(path, url), {
      method: question === undefined ? 'GET' : 'POST',
      headers,
      ...(question && { body: JSON.stringify(question) }),
      dispatcher,
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (statusCode !== 200) {
      await body.dump();
      throw new Error(`The internal listener answered ${statusCode}`);
    }
    return (await body.json()) as Reply;
  }

  async function askAny<Reply>(path: string, question?: object): Promise<Reply> {
    let lastError: unknown;
    for (const url of urls) {
      try {
        return await ask<Reply>(url, path, question);
      } catch (error) {
        lastError = error;
      }
    }
    throw new Error('No internal listener of the api answered', { cause: lastError });
  }

  return {
    resolveAccess: async (tripIds) => (await askAny<TripAccessReply>('/internal/trip-access', { tripIds })).records,
    readRevocations: async () => (await askAny<RevocationsReply>('/internal/revocations')).revocations,
    async resolveSosAccess(questions) {
      const { allowed, views, unknown } = await askAny<SosAccessReply>('/internal/sos-access', { questions });
      // An api from before the trail says no more than yes or no.
      const known = views ?? allowed.map((isAllowed, index) => (isAllowed ? plainView(questions[index]) : null));
      return known.map((view, index) => (unknown?.includes(index) ? 'unknown' : view));
    },
    async ping(deadlineMs) {
      const startedAtMs = performance.now();
      const signal = AbortSignal.timeout(deadlineMs);
      await Promise.any(
        urls.map(async (url) => {
          const { body } = await request(new URL('/health/live', url), { dispatcher, signal });
          await body.dump();
        }),
      );
      return performance.now() - startedAtMs;
    },
    close: () => dispatcher.destroy(),
  };
}

const plainView = (question: SosAccessQuestion | undefined): SosView => ({
  as: question?.role === 'operator' ? 'staff' : 'person',
});
