import { AppError } from '@hushryd/platform/errors/app-error';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';

export interface StreamPlaces {
  /** @returns gives the place back, once @throws AppError `too_many_streams`, `node_full` */
  take(userId: string): () => void;
  readonly taken: number;
}

const retryAfterMs = 5_000;

/** How many event streams this node holds, in all and of one user; what comes above is refused and counted. */
export function createStreamPlaces({
  maxStreams,
  maxPerUser,
  telemetry,
}: {
  maxStreams: number;
  maxPerUser: number;
  telemetry: Telemetry;
}): StreamPlaces {
  const byUser = new Map<string, number>();
  let taken = 0;
  const refused = telemetry.counter({
    name: 'event_streams_refused_total',
    help: 'Event streams refused because of too many',
    labelNames: ['reason'],
  });
  telemetry.gauge({
    name: 'event_streams',
    help: 'Open event streams',
    collect() {
      this.set(taken);
    },
  });

  function refuse(code: 'too_many_streams' | 'node_full'): never {
    refused.inc({ reason: code });
    throw new AppError(code, { retryAfterMs });
  }

  return {
    take(userId) {
      const ofUser = byUser.get(userId) ?? 0;
      if (ofUser >= maxPerUser) refuse('too_many_streams');
      if (taken >= maxStreams) refuse('node_full');
      byUser.set(userId, ofUser + 1);
      taken += 1;
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        taken -= 1;
        const left = (byUser.get(userId) ?? 1) - 1;
        if (left === 0) byUser.delete(userId);
        else byUser.set(userId, left);
      };
    },
    get taken() {
      return taken;
    },
  };
}
