import type { ConnectionState } from './connection-state.ts';
import { ConnectionError } from './connection-state.ts';
import type { Unsubscribe } from './emitter.ts';

/** Resolves once live; rejects if the connection is closed before that. */
export function whenLive(state: ConnectionState, onState: (listener: (now: ConnectionState) => void) => Unsubscribe) {
  const live = new Promise<void>((resolve, reject) => {
    const settle = (now: ConnectionState): boolean => {
      if (now.name === 'live') resolve();
      if (now.name === 'closed') reject(new ConnectionError('closed', now.message ?? now.reason));
      return now.name === 'live' || now.name === 'closed';
    };
    if (settle(state)) return;
    const off = onState((now) => settle(now) && off());
  });
  // Whoever does not wait for this promise hears of the end by `state`.
  live.catch(() => undefined);
  return live;
}
