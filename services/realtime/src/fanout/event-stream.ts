import type { TopicMessage } from '@hushryd/platform/topics/event-feed';
import type { TopicHead } from '@hushryd/platform/topics/event-log';
import type { Connection } from '../connections/connection.ts';
import { type BeaconPace, createBeaconPace } from './beacon-wheel.ts';

/** How events of a topic are delivered: `sos` ones are repeated until the client acknowledges them. */
export type EventClass = 'event' | 'sos';

/** What a socket is to be told of an event. `gone`: what it is about may be in the socket's list, and does not fit its filter any more. */
export type Verdict = 'fits' | 'gone' | 'other';

/** One socket's part in one topic's events. */
export interface EventListener {
  readonly connection: Connection;
  readonly stream: EventStream;
  /** What it wants of the topic, asked once of each event, in order; undefined: everything. */
  readonly judge: ((event: unknown) => Verdict) | undefined;
  /** Events that wait, in order: for the snapshot, or for a socket that is still taking what it missed. */
  waiting: TopicMessage[] | undefined;
  isJoining: boolean;
  /** Offset of the last event that was sent. */
  toldOffset: number;
}

/** A topic's events as this node has heard them. */
export interface EventStream {
  readonly topic: string;
  readonly eventClass: EventClass;
  /** Of the last event passed on; undefined before the first look at the log. */
  place: TopicHead | undefined;
  readonly listeners: Set<EventListener>;
  recovery: Promise<boolean> | undefined;
  /** Something was missed while the log was being read: what was found may be from before it. */
  mustReadAgain: boolean;
  readonly beacon: BeaconPace;
}

/** Where a topic stands whose log does not exist. */
export const nowhere: TopicHead = { epoch: '', offset: 0 };

export function createEventStream({ topic, eventClass }: Pick<EventStream, 'topic' | 'eventClass'>): EventStream {
  return {
    topic,
    eventClass,
    place: undefined,
    listeners: new Set(),
    recovery: undefined,
    mustReadAgain: false,
    beacon: createBeaconPace(),
  };
}

/** The first event of a log follows the place where there was none. */
export function isNext(place: TopicHead, message: TopicMessage): boolean {
  if (place.epoch === '') return message.offset === 1;
  return place.epoch === message.epoch && message.offset === place.offset + 1;
}

export const isSamePlace = (one: TopicHead, other: TopicHead): boolean =>
  one.epoch === other.epoch && one.offset === other.offset;

export const placeOf = ({ epoch, offset }: TopicHead): TopicHead => ({ epoch, offset });
