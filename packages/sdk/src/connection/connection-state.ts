import type { ErrorCode } from '@hushryd/contracts/errors';
import type { HttpProblemCode } from '../http/http-problem.ts';

/** Why a connection is closed and stays so until `connect()` is called again. */
export type ClosedReason =
  /** `connect()` was not called yet. */
  | 'not_started'
  /** The app called `close()`. */
  | 'closed_by_app'
  /** The server ended the socket with a code that tells clients not to come back. */
  | 'ended_by_server'
  /** The API refused the token twice in a row, or this identity or web origin may not connect. */
  | 'refused';

/**
 * ```
 * closed ──connect()──▶ connecting ──ready──▶ live
 *                        ▲      │ no `ready`    │ socket lost, silent, draining, token ran out
 *                  timer │      ▼               ▼
 *                       reconnecting ◀──────────┘
 * any ──close(), or an end that says "do not come back"──▶ closed
 * ```
 */
export type ConnectionState =
  | { name: 'connecting'; attempt: number }
  | { name: 'live'; transport: 'websocket'; connectionId: string }
  /** No websocket can be opened; the api serves instead, by a stream or by answers to polls and posts. */
  | { name: 'live'; transport: 'sse' | 'poll' }
  /**
   * `attempt` counts failed tries since the connection was last stable; `nextTryAtMs` is by this device's clock. `refusal` is there where
   * no socket was tried, since the api answered that there is none to be had for the moment.
   */
  | { name: 'reconnecting'; attempt: number; nextTryAtMs: number; cause: string; refusal?: HttpProblemCode }
  | { name: 'closed'; reason: ClosedReason; code?: number; message?: string };

/** Something failed and was handled (retried, waited for, given up); for logs and for the curious. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code: ErrorCode | 'closed' | 'needs_websocket' | 'frame_unreadable' | 'token_unavailable' | 'store_failed';

  constructor(code: ConnectionError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
