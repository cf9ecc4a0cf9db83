/**
 * Every error the outside can meet, over HTTP (problem+json `code`), in an `error` frame or as a close reason. `status` is the HTTP
 * status, `retryable` tells a client that the same request may succeed later, unchanged.
 */
export const errorCatalogue = {
  request_invalid: { status: 400, retryable: false, title: 'The request does not fit its schema' },
  body_malformed: { status: 400, retryable: false, title: 'The body is not valid JSON' },
  cursor_invalid: { status: 400, retryable: false, title: 'The cursor is not one that this list gave' },
  token_missing: { status: 401, retryable: false, title: 'A bearer token is required' },
  token_invalid: { status: 401, retryable: false, title: 'The token is not valid' },
  token_expired: { status: 401, retryable: false, title: 'The token has expired' },
  token_revoked: { status: 401, retryable: false, title: 'The session was ended' },
  ticket_invalid: { status: 401, retryable: false, title: 'The ticket is unknown, used or expired' },
  origin_refused: { status: 403, retryable: false, title: 'This web origin may not connect' },
  forbidden: { status: 403, retryable: false, title: 'This identity may not do that' },
  not_found: { status: 404, retryable: false, title: 'There is no such thing, or it is not yours' },
  method_not_allowed: { status: 405, retryable: false, title: 'The resource does not know this method' },
  not_acceptable: { status: 406, retryable: false, title: 'None of the accepted formats can be produced' },
  trip_state_conflict: { status: 409, retryable: false, title: 'The trip is not in a state that allows this' },
  trip_exists: { status: 409, retryable: false, title: 'A different trip has this id' },
  driver_busy: { status: 409, retryable: false, title: 'The driver has an active trip' },
  idempotency_key_reused: {
    status: 422,
    retryable: false,
    title: 'The idempotency key belongs to a different request',
  },
  payload_too_large: { status: 413, retryable: false, title: 'The body or frame is too large' },
  unsupported_media_type: { status: 415, retryable: false, title: 'The body must be JSON' },
  too_many_sockets: { status: 429, retryable: true, title: 'This user has too many open sockets' },
  too_many_streams: { status: 429, retryable: true, title: 'This user has too many open event streams' },
  too_many_topics: { status: 429, retryable: false, title: 'This socket is subscribed to too many topics' },
  too_many_frames: { status: 429, retryable: true, title: 'Frames come faster than allowed' },
  frame_malformed: { status: 400, retryable: false, title: 'The frame is not valid JSON' },
  frame_invalid: { status: 400, retryable: false, title: 'The frame does not fit its schema' },
  frame_unknown: { status: 400, retryable: false, title: 'There is no frame of this type' },
  run_unknown: { status: 409, retryable: false, title: 'This run was not allotted to the driver; ask for one first' },
  internal: { status: 500, retryable: true, title: 'Something failed on our side' },
  redis_unavailable: { status: 503, retryable: true, title: 'Live data is unavailable for the moment' },
  database_unavailable: { status: 503, retryable: true, title: 'Stored data is unavailable for the moment' },
  access_unavailable: {
    status: 503,
    retryable: true,
    title: 'Nobody could say for the moment whether this is allowed',
  },
  node_full: { status: 503, retryable: true, title: 'This node takes no more event streams for the moment' },
  draining: { status: 503, retryable: true, title: 'This node is shutting down; another one will take the request' },
  overloaded: {
    status: 503,
    retryable: true,
    title: 'More comes at once than is taken; come back when the answer says',
  },
  deadline_exceeded: { status: 503, retryable: true, title: 'The request ran into its deadline' },
} as const satisfies Record<string, { status: number; retryable: boolean; title: string }>;

export type ErrorCode = keyof typeof errorCatalogue;

/** All codes, for schemas and tables. */
export const errorCodes = Object.keys(errorCatalogue) as ErrorCode[];
