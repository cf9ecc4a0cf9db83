import type { SosAccessQuestion, SosView } from '@hushryd/contracts/http/sos';
import type { TrailFrame } from '@hushryd/contracts/realtime/server-frames';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { TopicHead } from '@hushryd/platform/topics/event-log';
import type { Connection, Membership } from '../connections/connection.ts';
import type { Verdict } from './event-stream.ts';
import type { EventStreams } from './event-streams.ts';
import type { Hub } from './hub.ts';
import type { Rooms } from './rooms.ts';
import { subscribedFrame } from './subscribed-frame.ts';
import type { Subscription } from './subscription.ts';

/**
 * How each may hear of the alert asked for, in the order of the questions; null: not at all; `unknown`: of this one nobody can say.
 * @throws where nobody can say anything
 */
export type ResolveSosAccess = (questions: SosAccessQuestion[]) => Promise<(SosView | null | 'unknown')[]>;

export interface AlertRooms {
  /**
   * Subscribe a socket to an alert.
   *
   * @throws AppError `not_found` (unknown or somebody else's), `access_unavailable`, `redis_unavailable`
   */
  join(request: {
    connection: Connection;
    place: Membership;
    alertId: string;
    topic: string;
    id: number | undefined;
    seen: TopicHead | undefined;
  }): Promise<void>;
  /** Called every two seconds: whoever may not hear of an alert any more leaves; whose trip's fixes belong to it may have changed. */
  recheck(): Promise<void>;
  /** The alerting person's own fixes, from the event feed. */
  onPassing(topic: string, what: unknown): void;
}

interface Member {
  connection: Connection;
  place: Membership;
  topic: string;
  question: SosAccessQuestion;
  view: SosView;
  /** Its part in the positions of the trip's driver. */
  trail: Subscription | undefined;
  /** `subscribed` was sent. */
  isJoined: boolean;
}

const questionsAtOnce = 500;

/**
 * `sos:{alertId}`: what happens to an alert, and its trail, for the person who raised it, staff, and the person's contacts who have the app.
 * MongoDB alone knows who may, so the internal listener is asked: when a socket joins, and again of all of them in one batch. No answer
 * while joining means *try again*; later it changes nothing, but for those of whom alone nothing could be said: they leave.
 *
 * The trail has two sources. The driver's fixes come by the position feed, as to the trip's own room; the person's come by the event feed, where
 * the api publishes them. Both are newest-wins: a slow socket is spared them, and reads the trail over HTTP.
 */
export function createAlertRooms({
  streams,
  rooms,
  hub,
  resolveSosAccess,
  slowBytes,
  log,
}: {
  streams: EventStreams;
  rooms: Pick<Rooms, 'enter'>;
  hub: Pick<Hub, 'catchUp' | 'goLive'>;
  resolveSosAccess: ResolveSosAccess;
  /** A socket that holds more than this is not given the person's fixes. */
  slowBytes: number;
  log: Logger;
}): AlertRooms {
  const membersOf = new Map<string, Set<Member>>();

  async function ask(question: SosAccessQuestion): Promise<SosView> {
    let view: SosView | null | 'unknown' | undefined;
    try {
      [view] = await resolveSosAccess([question]);
    } catch (cause) {
      throw new AppError('access_unavailable', { cause });
    }
    if (view === 'unknown') throw new AppError('access_unavailable');
    if (!view) throw new AppError('not_found');
    return view;
  }

  function add(member: Member): void {
    const members = membersOf.get(member.topic) ?? new Set();
    membersOf.set(member.topic, members.add(member));
  }

  function remove(member: Member): void {
    const members = membersOf.get(member.topic);
    if (members?.delete(member) && members.size === 0) membersOf.delete(member.topic);
    member.trail?.leave();
    member.trail = undefined;
  }

  const isMember = (member: Member) => membersOf.get(member.topic)?.has(member) === true;

  /** Follow the trip's driver, or follow him no longer. */
  function setView(member: Member, view: SosView): void {
    member.view = view;
    const { driverId, tripId } = view;
    if (driverId === undefined || tripId === undefined) {
      member.trail?.leave();
      member.trail = undefined;
      return;
    }
    const { connection, topic } = member;
    member.trail ??= rooms.enter({
      connection,
      place: { leave: () => undefined },
      topic,
      driverId,
      tripId,
      isTrail: true,
    });
  }

  async function followLate(member: Member): Promise<void> {
    const { trail, isJoined } = member;
    if (!isJoined || trail?.state !== 'joining') return;
    await hub.catchUp(trail.room.driverId);
    if (member.trail === trail) hub.goLive(trail);
  }

  async function recheckSome(some: Member[]): Promise<void> {
    const views = await resolveSosAccess(some.map(({ question }) => question));
    for (const [index, member] of some.entries()) {
      const view = views[index];
      if (view === undefined || !isMember(member)) continue;
      // Of whom nobody can say, they may have been removed: the others must not wait for it.
      if (view === null || view === 'unknown') {
        expel(member);
        continue;
      }
      setView(member, view);
      await followLate(member);
    }
  }

  function expel({ connection, place, topic }: Member): void {
    if (connection.memberships?.get(topic) === place) connection.memberships.delete(topic);
    place.leave();
    connection.sendFrame({ type: 'unsubscribed', topic, reason: 'forbidden' });
  }

  return {
    async join({ connection, place, alertId, topic, id, seen }) {
      const { userId, role } = connection.identity;
      const question = { alertId, userId, role };
      const view = await ask(question);
      if (connection.memberships?.get(topic) !== place) return;

      const judge = view.as === 'contact' ? judgeForContacts : undefined;
      const listener = streams.enter({ connection, topic, eventClass: 'sos', judge });
      const member: Member = { connection, place, topic, question, view, trail: undefined, isJoined: false };
      add(member);
      place.leave = () => {
        remove(member);
        streams.leave(listener);
      };
      setView(member, view);
      const { trail } = member;
      const [caughtUp] = await Promise.all([
        streams.catchUp(listener, seen),
        trail && hub.catchUp(trail.room.driverId),
      ]);
      if (connection.memberships?.get(topic) !== place) return;
      connection.sendFrame(subscribedFrame({ id, topic, caughtUp }));
      // A socket that could not take the answer is closed, and has left already.
      if (!connection.isOpen) return;
      member.isJoined = true;
      if (trail !== undefined && member.trail === trail) hub.goLive(trail);
      streams.goLive(listener, caughtUp);
    },

    async recheck() {
      const all = [...membersOf.values()].flatMap((members) => [...members]);
      for (let from = 0; from < all.length; from += questionsAtOnce) {
        try {
          await recheckSome(all.slice(from, from + questionsAtOnce));
        } catch (err) {
          log.warn({ err, count: all.length }, 'nobody could say who may hear of alerts');
          return;
        }
      }
    },

    onPassing(topic, what) {
      const members = membersOf.get(topic);
      const { trail: points } = what as { trail?: TrailFrame['points'] };
      if (members === undefined || points === undefined) return;
      const frame = JSON.stringify({ type: 'trail', topic, points } satisfies TrailFrame);
      for (const { connection, view } of members) {
        if (view.isTrailHidden || connection.bufferedBytes > slowBytes) continue;
        connection.send(frame, 'location');
      }
    },
  };
}

/**
 * The topic tells the person's own devices of a cancel that the person was made to give. Contacts are told nothing of it: where it is meant,
 * they are sent off within two seconds.
 */
const judgeForContacts = (event: unknown): Verdict =>
  (event as { name?: string }).name === 'sos.cancelled' ? 'other' : 'fits';
