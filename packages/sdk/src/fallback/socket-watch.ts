import type { ConnectionState } from '../connection/connection-state.ts';
import { isBlocked } from './is-blocked.ts';

/** Keeps count of how opening sockets goes. */
export interface SocketWatch {
  /** The socket's next state. @returns true where a socket that stood for a while has been lost: what was before it is forgotten */
  note(state: ConnectionState): boolean;
  /** The server sent us away, over a socket: they are not blocked, whatever came before. */
  sentAway(): void;
  readonly isBlocked: boolean;
}

/** A socket that is lost sooner than this was not worth more than one that did not open. */
const stableMs = 10_000;

export function createSocketWatch(now: () => number): SocketWatch {
  let failed = 0;
  let sinceMs: number | undefined;
  let openingAtMs: number | undefined;
  let liveAtMs: number | undefined;
  let lastTookMs = 0;

  function forget(): void {
    failed = 0;
    sinceMs = undefined;
    lastTookMs = 0;
  }

  return {
    note(state) {
      const { name } = state;
      const nowMs = now();
      if (name === 'connecting') {
        openingAtMs = nowMs;
        sinceMs ??= nowMs;
      } else if (name === 'live') {
        liveAtMs = nowMs;
      } else if (name === 'closed') {
        forget();
      } else if (state.name === 'reconnecting' && state.refusal !== undefined) {
        // No socket was tried.
        if (failed === 0) sinceMs = undefined;
      } else {
        const wasStable = liveAtMs !== undefined && nowMs - liveAtMs >= stableMs;
        if (wasStable) forget();
        else {
          failed += 1;
          // One that opened did not hang, however soon it was lost.
          lastTookMs = (liveAtMs ?? nowMs) - (openingAtMs ?? nowMs);
        }
        liveAtMs = undefined;
        return wasStable;
      }
      return false;
    },
    sentAway: forget,
    get isBlocked() {
      return isBlocked({ failed, sinceMs: sinceMs === undefined ? 0 : now() - sinceMs, lastTookMs });
    },
  };
}
