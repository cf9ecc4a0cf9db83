import type { TopicHead } from '@hushryd/platform/topics/event-log';
import type { Connection, Membership } from '../connections/connection.ts';
import type { EventClass, EventListener } from './event-stream.ts';
import type { EventStreams } from './event-streams.ts';
import { subscribedFrame } from './subscribed-frame.ts';

/**
 * Subscribe a socket to a topic that has nothing but events: `subscribed`, what it missed, then live. Who may is decided before, by
 * identity alone.
 *
 * @throws AppError `redis_unavailable`
 */
export async function joinEvents(
  { streams }: { streams: EventStreams },
  {
    connection,
    place,
    topic,
    eventClass,
    id,
    seen,
    judge,
  }: {
    connection: Connection;
    place: Membership;
    topic: string;
    eventClass: EventClass;
    id: number | undefined;
    seen: TopicHead | undefined;
    judge: EventListener['judge'];
  },
): Promise<void> {
  const listener = streams.enter({ connection, topic, eventClass, judge });
  place.leave = () => streams.leave(listener);
  const caughtUp = await streams.catchUp(listener, seen);
  if (connection.memberships?.get(topic) !== place) return;
  connection.sendFrame(subscribedFrame({ id, topic, caughtUp }));
  // A socket that could not take the answer is closed, and has left already: what it were handed now nobody would take back.
  if (!connection.isOpen) return;
  streams.goLive(listener, caughtUp);
}
