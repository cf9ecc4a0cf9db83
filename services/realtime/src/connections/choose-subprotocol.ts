import { binarySubprotocol, jsonSubprotocol } from '@hushryd/contracts/realtime/limits';

export type Subprotocol = typeof jsonSubprotocol | typeof binarySubprotocol;

/** What clients may offer: two lanes, a ticket, and one that is newer than us. */
const maxOffered = 4;

/** The offered subprotocols, most wanted first; those beyond the fourth are not looked at. */
export function readOffered(header: string): string[] {
  return header.split(',', maxOffered).map((protocol) => protocol.trim());
}

/** @returns the first offered one that we speak; undefined where there is none */
export function chooseSubprotocol(offered: readonly string[]): Subprotocol | undefined {
  return offered.find((protocol) => protocol === jsonSubprotocol || protocol === binarySubprotocol) as
    | Subprotocol
    | undefined;
}
