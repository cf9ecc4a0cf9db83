import { AppError, toAppError } from '../errors/app-error.ts';

/** A command that certainly had no effect: it never left this process. */
export class NotSentError extends Error {
  override readonly name = 'NotSentError';
}

/**
 * What a failed Redis command means to whoever asked for it.
 *
 * `redis_unavailable` when the server did not answer, was gone or cannot serve now; `internal` for a reply that shows a mistake of
 * ours (a wrong type, a broken script). `detail` is `not sent` when the command certainly had no effect, else `outcome unknown`: a
 * command without an answer may have been applied, or may still be.
 */
export function toRedisError(error: unknown): AppError {
  if (error instanceof NotSentError) return unavailable(error, 'not sent');
  if (error instanceof AppError || !(error instanceof Error)) return toAppError(error);
  if (error.name !== 'ReplyError') return unavailable(error, 'outcome unknown');
  const [word = ''] = error.message.split(' ', 1);
  return REFUSALS.has(word) ? unavailable(error, 'not sent') : toAppError(error);
}

/** Replies of a server that is up and cannot serve: starting, failing over, full, busy with a script, or keeping us out. */
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
  'NOAUTH',
]);

function unavailable(cause: Error, detail: 'not sent' | 'outcome unknown'): AppError {
  return new AppError('redis_unavailable', { cause, detail });
}
