import { randomBytes } from 'node:crypto';

/** Where a topic's event log stands. */
export interface TopicHead {
  /** Random, made with the topic's log: offsets of different epochs have nothing to do with one another. */
  epoch: string;
  /** Of the newest event, or of a change whose event was lost; 0 before the first. */
  offset: number;
}

/** Events that a topic's log keeps for those who come back. */
export const eventsKept = 300;
/** An idle topic forgets its events after this. */
export const eventsKeepMs = 3_600_000;
/** And where it stood after this: until then the next event goes on counting, so that whoever still listens knows it for the next. */
export const headKeepMs = 90_000_000;

export const createEpoch = (): string => randomBytes(9).toString('base64url');
