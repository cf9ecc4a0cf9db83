import { closeCodes, mayReconnect } from '@hushryd/contracts/realtime/close-codes';
import { HttpProblem, type HttpProblemCode } from '../http/http-problem.ts';
import { isTokenRefusal, maxTokenRefusals, refusedWaitMs } from '../http/token-refusals.ts';
import { backoffDelayMs } from './backoff.ts';
import type { ClosedReason } from './connection-state.ts';

/** How a session came to its end. */
export type SessionEnd =
  /** The socket closed, before or after `ready`. */
  | { kind: 'socket_closed'; code: number; reason: string }
  /** No ticket, no token, or no socket could be had. */
  | { kind: 'not_opened'; error: unknown }
  /** `ready` did not come in time. */
  | { kind: 'timed_out' }
  /** Nothing was heard for too long. */
  | { kind: 'silent' };

export type ReconnectDecision =
  | { again: true; delayMs: number }
  | { again: false; closed: { reason: ClosedReason; code?: number; message: string } };

/**
 * May this client come back, and when? Pure.
 *
 * @param attempt failed tries in a row, from 0
 * @param hintMs what a `draining` or `busy` frame asked for; the server spreads its hints, so it is kept to as it is
 * @param refusals answers that refuse the token in a row, this one included: the first may be a token that was just replaced
 */
export function decideReconnect(input: {
  end: SessionEnd;
  attempt: number;
  hintMs: number | undefined;
  refusals: number;
  random: () => number;
}): ReconnectDecision {
  const { end, attempt, hintMs, refusals, random } = input;
  const jitterMs = backoffDelayMs({ attempt, random });

  if (end.kind === 'socket_closed' && !mayReconnect(end.code)) {
    const message = end.reason || describeEnd(end);
    return { again: false, closed: { reason: 'ended_by_server', code: end.code, message } };
  }
  if (end.kind === 'not_opened' && end.error instanceof HttpProblem) {
    if (isFinalRefusal(end.error, refusals)) {
      return { again: false, closed: { reason: 'refused', message: end.error.message } };
    }
    const { retryAfterMs = 0 } = end.error;
    const leastMs = isTokenRefusal(end.error) ? refusedWaitMs : retryAfterMs;
    // Either is the same for everybody, so the jitter goes on top of it.
    return { again: true, delayMs: leastMs + jitterMs };
  }
  return { again: true, delayMs: hintMs ?? jitterMs };
}

/** What the api answered in place of a ticket. Whoever got an answer did not try to open a socket. */
export function refusalOf(end: SessionEnd): HttpProblemCode | undefined {
  if (end.kind !== 'not_opened' || !(end.error instanceof HttpProblem)) return undefined;
  return end.error.status > 0 ? end.error.code : undefined;
}

/** For people: what happened. */
export function describeEnd(end: SessionEnd): string {
  if (end.kind === 'timed_out') return 'the server did not answer in time';
  if (end.kind === 'silent') return 'the server fell silent';
  if (end.kind === 'not_opened') return end.error instanceof Error ? end.error.message : 'no socket could be opened';
  return closeNames.get(end.code) ?? (end.reason || `the socket closed (${end.code})`);
}

function isFinalRefusal(problem: HttpProblem, refusals: number): boolean {
  if (problem.code === 'forbidden' || problem.code === 'origin_refused') return true;
  return isTokenRefusal(problem) && refusals >= maxTokenRefusals;
}

const closeNames = new Map<number, string>([
  [1006, 'the socket was cut'],
  [closeCodes.draining, 'the server is restarting'],
  [closeCodes.tryAgainLater, 'the server takes no more sockets for the moment'],
  [closeCodes.frameTooLarge, 'a frame was too large'],
  [closeCodes.policyViolation, 'the protocol was broken repeatedly'],
  [closeCodes.tokenExpired, 'the token ran out'],
  [closeCodes.slowConsumer, 'this client read too slowly'],
  [closeCodes.sessionEnded, 'the session was ended'],
]);
