import type { AppError } from '@hushryd/platform/errors/app-error';
import type { Connection } from '../connections/connection.ts';

/** What the failed request said of itself, so that the client knows which one it was. */
export interface FrameReference {
  id?: number | undefined;
  topic?: string | undefined;
}

/** Answer with an `error` frame; the socket stays. What lies behind a 5xx stays inside. */
export function sendError(connection: Connection, error: AppError, { id, topic }: FrameReference = {}): void {
  connection.sendFrame({
    type: 'error',
    ...(id !== undefined && { id }),
    ...(topic !== undefined && { topic }),
    code: error.code,
    message: error.status < 500 ? error.message : error.title,
    retryable: error.retryable,
  });
}
