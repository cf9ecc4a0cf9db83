/** Limits of the realtime protocol that both sides keep. A server may be configured lower, never higher. */
export const realtimeLimits = {
  frameBytes: 16_384,
  fixesPerFrame: 100,
  framesPerSecond: 20,
  topicsPerSocket: 32,
  socketsPerUser: 5,
} as const;

/** Subprotocol of the JSON lane; a browser adds its ticket as the second one, `ticket.<value>`. */
export const jsonSubprotocol = 'hushryd.v1';
export const ticketSubprotocolPrefix = 'ticket.';
export const realtimePath = '/v1/realtime';
