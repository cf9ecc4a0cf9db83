import { closeCodes } from '@hushryd/contracts/realtime/close-codes';

/** Ours, and those that the websocket protocol names (RFC 6455, 7.4.1) and sockets end with by themselves. */
const counted: ReadonlySet<number> = new Set([
  ...Object.values(closeCodes),
  1000,
  1001,
  1002,
  1003,
  1005,
  1006,
  1007,
  1011,
]);

/** As what an ended socket is counted. Clients close with whatever code they like, and each would be a series of its own for ever. */
export const closeLabel = (code: number): string => (counted.has(code) ? String(code) : 'other');
