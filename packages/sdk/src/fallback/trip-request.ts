import { formatEventId } from '@hushryd/contracts/realtime/event-id';
import { createAccessTokens } from '../http/access-tokens.ts';
import type { AbortSignalLike, FetchLike, ResponseLike } from '../http/fetch.ts';
import type { GetToken } from '../http/get-token.ts';
import { toHttpProblem } from '../http/http-problem.ts';
import { isOfToken } from '../http/token-refusals.ts';
import type { EventPlace } from '../watching/event-place.ts';

export interface TripRequest {
  tripId: string;
  seen: EventPlace | undefined;
  /** Ask for an answer that ends with the first news. `known` is the position that is none: `run-seq-state`. */
  poll?: { waitSeconds: number; known: string | undefined };
  signal: AbortSignalLike;
}

export type RequestTrip = (request: TripRequest) => Promise<ResponseLike>;

/** Asks for a trip's event stream. @throws HttpProblem where the answer is none */
export function createRequestTrip({
  apiUrl,
  getToken,
  fetch,
  now,
}: {
  apiUrl: string;
  getToken: GetToken;
  fetch: FetchLike;
  now: () => number;
}): RequestTrip {
  const tokens = createAccessTokens(getToken);
  const origin = apiUrl.replace(/\/+$/, '');

  return async ({ tripId, seen, poll, signal }) => {
    const token = await tokens.get();
    const known = poll?.known === undefined ? '' : `&known=${poll.known}`;
    const query = poll === undefined ? '' : `?waitSeconds=${poll.waitSeconds}${known}`;
    const response = await fetch(`${origin}/v1/trips/${encodeURIComponent(tripId)}/events${query}`, {
      method: 'GET',
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${token}`,
        ...(seen && { 'last-event-id': formatEventId(seen) }),
      },
      signal,
    });
    if (response.status !== 401) tokens.accept();
    if (response.status === 200) return response;
    const problem = await toHttpProblem(response, now());
    if (isOfToken(problem.code)) tokens.refuse(token);
    throw problem;
  };
}
