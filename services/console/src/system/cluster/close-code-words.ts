import { type CloseCode, closeCodes, mayReconnect } from '@hushryd/contracts/realtime/close-codes';

export interface CloseCodeWords {
  name: string;
  meaning: string;
  /** What the app does then. */
  afterwards: 'comes back' | 'stays away' | 'as the app likes';
}

const ours: Record<CloseCode, readonly [name: string, meaning: string]> = {
  [closeCodes.draining]: ['Draining', 'The node shut down and sent its sockets to another one.'],
  [closeCodes.tryAgainLater]: ['Try again later', 'The node was full, or the user had too many sockets.'],
  [closeCodes.frameTooLarge]: ['Frame too large', 'The app sent a frame over the limit.'],
  [closeCodes.policyViolation]: ['Policy violation', 'The app broke the protocol or its limits again and again.'],
  [closeCodes.tokenExpired]: ['Token expired', 'The token ran out, or the user was given another role.'],
  [closeCodes.slowConsumer]: ['Slow consumer', 'The socket read too slowly to be told everything.'],
  [closeCodes.sessionEnded]: ['Session ended', 'The user was signed out or banned.'],
  [closeCodes.endedByOperator]: ['Ended by an operator', 'Somebody ended this one socket from here or over the API.'],
};

/** RFC 6455 §7.4.1; 1005 and 1006 are never sent, they say what was missing. */
const ofTheProtocol: Record<number, readonly [name: string, meaning: string]> = {
  1000: ['Closed', 'The app was done and said goodbye.'],
  1001: ['Going away', 'The page was left, or the app went to the background.'],
  1002: ['Protocol error', 'One side found a frame that is no websocket frame.'],
  1003: ['Unsupported data', 'A kind of frame that is not accepted.'],
  1005: ['No code', 'Closed in good order, without a reason.'],
  1006: ['Lost', 'No goodbye: network lost, app killed, silent for too long, or the protocol broken.'],
  1007: ['Not UTF-8', 'A text frame that is no text.'],
  1011: ['Unexpected condition', 'The app could not go on.'],
};

/** What a close code says, for people. Pure. */
export function describeCloseCode(code: number): CloseCodeWords {
  const [name, meaning] = ours[code as CloseCode] ??
    ofTheProtocol[code] ?? ['Unknown', 'Neither HushRyd nor RFC 6455 names this code; the app made it up.'];
  if (code === 1000 || code === 1001) return { name, meaning, afterwards: 'as the app likes' };
  return { name, meaning, afterwards: mayReconnect(code) ? 'comes back' : 'stays away' };
}

const outcomes: Record<string, readonly [name: string, meaning: string]> = {
  accepted: ['Accepted', 'Became a connection.'],
  refused: ['Refused', 'Token, ticket or web origin were not good, or nobody could say.'],
  rate_limited: ['Put off', 'Too many at once; the app tries again with a delay.'],
  aborted: ['Given up', 'The app went away before it was answered.'],
};
/** In this order, and there before the first of them happened: no row appears between two others. */
export const upgradeOutcomes: readonly string[] = Object.keys(outcomes);

export function describeUpgrade(outcome: string): { name: string; meaning: string } {
  const [name, meaning] = outcomes[outcome] ?? [outcome, 'This console does not know this outcome.'];
  return { name, meaning };
}
