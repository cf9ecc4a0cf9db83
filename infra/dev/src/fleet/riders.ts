import type { Logger } from '@hushryd/platform/logging/logger';
import { createRiderClient } from '@hushryd/sdk/rider-client';
import { type Backend, createSocket } from './backend.ts';

/** Passengers who follow their trip on their own phone. */
export interface Riders {
  /** Follow the trip, if not enough people do already. */
  maybeWatch(input: { riderId: string; tripId: string }): { close(): void } | undefined;
  /** Positions that all riders received so far. */
  readonly positionCount: number;
  close(): void;
}

export function createRiders(input: { backend: Backend; maxRiders: number; log: Logger }): Riders {
  const { backend, maxRiders, log } = input;
  const open = new Set<{ close(): void }>();
  let positionCount = 0;

  return {
    get positionCount() {
      return positionCount;
    },
    maybeWatch({ riderId, tripId }) {
      if (open.size >= maxRiders) return undefined;
      const { apiUrl, realtimeUrl } = backend;
      const getToken = backend.tokensFor({ userId: riderId, role: 'rider' });
      const client = createRiderClient({
        apiUrl,
        realtimeUrl,
        getToken,
        auth: 'bearer',
        encoding: 'binary',
        createSocket,
      });
      client.watchTrip(tripId, {
        onPosition: () => {
          positionCount += 1;
        },
        // Passengers may follow until the trip has ended; then the server says so before we leave.
        onEnded: (reason) => log.debug({ tripId, reason }, 'a rider follows no longer'),
      });
      const watch = {
        close: () => {
          open.delete(watch);
          client.close();
        },
      };
      open.add(watch);
      // It reconnects by itself; closing it ends the wait.
      client.connect().catch((err: unknown) => {
        if (open.has(watch)) log.warn({ err, tripId }, 'a rider could not connect');
      });
      return watch;
    },
    close() {
      for (const watch of open) watch.close();
    },
  };
}
