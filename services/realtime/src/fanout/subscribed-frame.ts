import type { SubscribedFrame, TripSnapshot } from '@hushryd/contracts/realtime/server-frames';
import type { CaughtUp } from './event-streams.ts';

/** The answer to `sub` of a topic that has events. Whoever is told everything that was missed needs no snapshot. */
export function subscribedFrame({
  id,
  topic,
  caughtUp: { head, recovered },
  snapshot,
}: {
  id: number | undefined;
  topic: string;
  caughtUp: CaughtUp;
  snapshot?: TripSnapshot | undefined;
}): SubscribedFrame {
  return {
    type: 'subscribed',
    ...(id !== undefined && { id }),
    topic,
    ...head,
    ...(recovered !== undefined && { recovered }),
    ...(recovered !== true && snapshot !== undefined && { snapshot }),
  };
}
