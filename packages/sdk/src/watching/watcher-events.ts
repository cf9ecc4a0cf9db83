import type { Connection } from '../connection/connection.ts';
import type { ConnectionState } from '../connection/connection-state.ts';
import type { Emitter } from '../connection/emitter.ts';
import { createEmitter } from '../connection/emitter.ts';

/** What clients that watch something tell about the connection as a whole. */
export interface WatcherEvents {
  state: ConnectionState;
  /** false: live data is away for the moment, and positions do not move. true: it is back. */
  status: boolean;
  error: Error;
}

/** The `on` of a watching client. */
export function onWatcherEvent(connection: Connection): Emitter<WatcherEvents>['on'] {
  const events = createEmitter<WatcherEvents>();
  connection.on('state', (state) => events.emit('state', state));
  connection.on('error', (error) => events.emit('error', error));
  connection.on('frame', (frame) => {
    if (frame.type === 'status') events.emit('status', frame.live);
  });
  return events.on;
}
