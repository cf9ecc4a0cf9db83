import { AppError, toAppError } from '../errors/app-error.ts';

/**
 * What a failed Redis command means to whoever asked for it.
 *
 * `redis_unavailable` when the server did not answer, was gone or cannot serve now; `internal` for a reply that shows a mistake of
 * ours (a wrong type, a broken script). `detail` is `not sent` when the command certainly had no effect, else `outcome unknown`: a
 * command without an answer may have been applied, or may still be.
 */
export function toRedisError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (!(error instanceof Error)) return toAppError(error);
  if (NEVER_SENT.some((text) => error.message.startsWith(text))) return unavailable(error, 'not sent');
  if (error.name === 'ReplyError') {
    return REFUSALS.has(error.message.split(' ', 1)[0] ?? '') ? unavailable(error, 'not sent') : toAppError(error);
  }
  return unavailable(error, 'outcome unknown');
}

/** Refused before a byte left: by our own limit (batch-writes.ts) or by ioredis without a connection. */
const NEVER_SENT = [
  'Too many Redis commands are waiting',
  "Stream isn't writeable",
  "Cluster isn't ready",
  'None of startup nodes is available',
  'Cluster is ended',
];

/** Replies of a server that is up and cannot serve: starting, failing over, full, busy with a script. */
const REFUSALS = new Set([
  'LOADING',
  'READONLY',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'MOVED',
  'ASK',
  'OOM',
  'MISCONF',
  'NOREPLICAS',
  'BUSY',
  'UNBLOCKED',
  'NOAUTH',
  'WRONGPASS',
]);

function unavailable(cause: Error, detail: 'not sent' | 'outcome unknown'): AppError {
  return new AppError('redis_unavailable', { cause, detail });
}
