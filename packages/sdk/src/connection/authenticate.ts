import type { TicketReply } from '@hushryd/contracts/http/realtime';
import { binarySubprotocol, jsonSubprotocol, ticketSubprotocolPrefix } from '@hushryd/contracts/realtime/limits';
import type { AccessTokens } from '../http/access-tokens.ts';
import type { FetchLike } from '../http/fetch.ts';
import { createSendRequest } from '../http/request.ts';
import type { Encoding } from './connection-options.ts';

/** What opening one socket needs; never a token in the address. */
export interface Credentials {
  protocols: string[];
  headers: Record<string, string>;
}

export type Authenticate = () => Promise<Credentials>;

/**
 * 'ticket': a single-use ticket from the API as the last subprotocol, since browsers cannot set headers on a websocket.
 * 'bearer': the token itself as a header, for native clients.
 */
export function createAuthenticate(input: {
  auth: 'ticket' | 'bearer';
  encoding: Encoding;
  apiUrl: string;
  tokens: AccessTokens;
  fetch?: FetchLike | undefined;
  timeoutMs: number;
}): Authenticate {
  const { auth, encoding, apiUrl, tokens, fetch, timeoutMs } = input;
  // JSON too, second: an older server takes that, and its answer says which it is.
  const lanes = encoding === 'binary' ? [binarySubprotocol, jsonSubprotocol] : [jsonSubprotocol];

  if (auth === 'bearer') {
    return async () => ({ protocols: lanes, headers: { authorization: `Bearer ${await tokens.get()}` } });
  }
  const send = createSendRequest({ apiUrl, getToken: tokens.get, timeoutMs, ...(fetch && { fetch }) });
  return async () => {
    const response = await send({ method: 'POST', path: '/v1/realtime/tickets', body: {} });
    const { ticket } = JSON.parse(await response.text()) as TicketReply;
    return { protocols: [...lanes, ticketSubprotocolPrefix + ticket], headers: {} };
  };
}
