import { ConfigError } from '../config/config-error.ts';
import { AppError } from '../errors/app-error.ts';
import { hideInText } from './hide-in-text.ts';

const MAX_CAUSES = 4;

export interface SafeError {
  type: string;
  code?: string | number;
  message?: string;
  detail?: string;
  stack?: string;
  cause?: SafeError;
}

/**
 * An error as a log may show it: its class and code, and those of its causes.
 *
 * A message may quote what a user sent, so only messages with a known author are kept: ours (AppError, ConfigError), those of the
 * operating system (ECONNREFUSED …) and of the Redis connection. Stacks hold the message and appear with `withStack` only.
 */
export function toSafeError(error: Error, { withStack }: { withStack: boolean }, depth = 0): SafeError {
  const code = (error as { code?: unknown }).code;
  return {
    type: error.name,
    ...((typeof code === 'string' || typeof code === 'number') && { code: safeCode(code) }),
    ...(hasKnownAuthor(error) && { message: hideInText(error.message) }),
    ...(withStack && error.stack !== undefined && { stack: hideInText(stackWithoutMessage(error)) }),
    ...(error.cause instanceof Error &&
      depth < MAX_CAUSES && { cause: toSafeError(error.cause, { withStack }, depth + 1) }),
  };
}

function safeCode(code: string | number): string | number {
  return typeof code === 'number' || /^[A-Za-z0-9_]{1,64}$/.test(code) ? code : 'unknown';
}

function hasKnownAuthor(error: Error): boolean {
  if (error instanceof AppError || error instanceof ConfigError) return true;
  const { syscall } = error as { syscall?: unknown };
  if (typeof syscall === 'string') return true;
  return CONNECTION_ERRORS.has(error.name) || CONNECTION_MESSAGES.some((text) => error.message.startsWith(text));
}

const CONNECTION_ERRORS = new Set([
  'NotSentError',
  'MaxRetriesPerRequestError',
  'ClusterAllFailedError',
  'MongoServerSelectionError',
  'MongoNetworkError',
]);
const CONNECTION_MESSAGES = [
  'Command timed out',
  'Connection is closed',
  'Socket timeout',
  'All sentinels are unreachable',
  'connect ETIMEDOUT',
];

function stackWithoutMessage(error: Error): string {
  const stack = error.stack ?? '';
  const firstFrame = stack.indexOf('\n    at ');
  return firstFrame === -1 ? '' : stack.slice(firstFrame + 1);
}
