import { type ErrorCode, errorCatalogue } from '@hushryd/contracts/errors';

export interface AppErrorOptions {
  /** Which of several reasons it was. Shown to the caller below status 500, so it never carries personal data. */
  detail?: string;
  cause?: unknown;
  /** Replaces the catalogue's answer where the place that throws knows better. */
  retryable?: boolean;
  /** When the same request may be tried again; becomes `Retry-After`. */
  retryAfterMs?: number;
}

/**
 * An error with a stable code from the catalogue of `@hushryd/contracts/errors`.
 *
 * Status, title and retryability come from the catalogue, so that a code means the same over HTTP, in a frame and in a log. Callers
 * branch on `code` and `retryable`, never on the message. One place per service turns it into a reply.
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly title: string;
  readonly retryable: boolean;
  readonly detail: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, options: AppErrorOptions = {}) {
    const entry = errorCatalogue[code];
    super(
      options.detail === undefined ? entry.title : `${entry.title}: ${options.detail}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.status = entry.status;
    this.title = entry.title;
    this.retryable = options.retryable ?? entry.retryable;
    this.detail = options.detail;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Whatever was thrown, as an AppError: itself, or `internal` with the original as its cause. */
export function toAppError(error: unknown): AppError {
  return error instanceof AppError ? error : new AppError('internal', { cause: error });
}
