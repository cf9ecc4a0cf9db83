/**
 * Limits of the realtime protocol, which clients keep to. A server may be configured otherwise: `frameBytes` and `topicsPerSocket` only
 * lower, `framesPerSecond` and `socketsPerUser` also higher.
 */
export const realtimeLimits = {
  frameBytes: 16_384,
  fixesPerFrame: 100,
  framesPerSecond: 20,
  topicsPerSocket: 32,
  socketsPerUser: 5,
} as const;

/** How long after a topic's newest frame its beacon comes. */
export const beaconAfterMs = 2000;

/** Subprotocol of the JSON lane; a browser adds its ticket as a further one, `ticket.<value>`. */
export const jsonSubprotocol = 'hushryd.v1';
/** Subprotocol of the binary lane: `loc` and `position` are binary frames (`realtime/binary`), all others stay JSON. */
export const binarySubprotocol = 'hushryd.v1.bin';
export const ticketSubprotocolPrefix = 'ticket.';
export const realtimePath = '/v1/realtime';
