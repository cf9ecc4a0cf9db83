import type { Position } from '@hushryd/contracts/fix';
import type { Connection, Membership } from '../connections/connection.ts';
import type { BeaconPace } from './beacon-wheel.ts';
import type { EventListener } from './event-stream.ts';

/** Everybody on this node who watches one topic, and the driver whose positions it shows. */
export interface Room {
  readonly topic: string;
  readonly driverId: string;
  /** Only positions of this trip are shown; undefined shows all of the driver's. */
  readonly tripId: string | undefined;
  /** Positions are told as points of an alert's trail: without who drives. */
  readonly isTrail: boolean;
  readonly members: Set<Subscription>;
  /** Stands for the topic in binary frames; no other room of this node ever has it. */
  readonly number: number;
  /** Members that `publish` reaches, live and not slow, by what they read. */
  readonly listeners: { json: number; binary: number };
  /** Members in slow mode. */
  readonly slow: Set<Subscription>;
  readonly beacon: BeaconPace;
}

/**
 * joining: nothing is sent yet. live: everything. slow: positions only as the newest, when the socket has drained.
 * over: left, or not allowed any more.
 */
export type SubscriptionState = 'joining' | 'live' | 'slow' | 'over';

/** One socket's part in one room. */
export interface Subscription extends Membership {
  readonly connection: Connection;
  readonly room: Room;
  state: SubscriptionState;
  /** Slow: what the socket gets once it has drained. Newest wins, so one is enough. */
  pending: Position | 'gone' | undefined;
  /** Its part in the topic's events, where the topic has any. */
  events: EventListener | undefined;
}
