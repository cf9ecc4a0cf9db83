import type { SubFrame, UnsubFrame } from '@hushryd/contracts/realtime/client-frames';
import { realtimeLimits } from '@hushryd/contracts/realtime/limits';
import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import type { TopicFilter } from '@hushryd/contracts/realtime/topic-filter';
import type { EventPlace } from '../watching/event-place.ts';

/** The topics that the app wants, brought into line with what the server was asked for on this socket. */
export interface Subscriptions {
  /** @throws RangeError beyond the protocol's topics per socket */
  add(topic: string, wish?: SubscriptionWish): void;
  /** Ask for the topic again, from where the client is: something of it was missed, or another part of it is wanted. */
  again(topic: string): void;
  remove(topic: string): void;
  /** Has the newest `sub` of the topic been answered? What comes before that belongs to an earlier one. */
  isLive(topic: string): boolean;
  /** The next `sub` or `unsub` that is due. */
  next(nextId: () => number): SubFrame | UnsubFrame | undefined;
  handle(frame: ServerFrame): void;
  /** A new socket knows nothing: everything has to be asked for again. */
  reset(): void;
  /** Called every few seconds; true if something is due again. */
  tick(): boolean;
}

/** What is asked of a topic beyond its name. */
export interface SubscriptionWish {
  /** The last event that the client has seen, as far as it has seen any: the server tells what came since. */
  seen?(): EventPlace | undefined;
  /** Asked whenever the topic is: it may change. */
  filter?(): TopicFilter | undefined;
}

interface Entry {
  wish: SubscriptionWish;
  /** `wanted` → `asked` → `live`; a refusal for now → `resting` → `wanted`. */
  phase: 'wanted' | 'asked' | 'live' | 'resting';
  id: number;
  /** Ticks since asked or refused. */
  age: number;
}

const answerLateAfterTicks = 2;

export function createSubscriptions(): Subscriptions {
  const entries = new Map<string, Entry>();
  const leaving = new Set<string>();

  return {
    add(topic, wish = {}) {
      if (entries.has(topic)) return;
      if (entries.size >= realtimeLimits.topicsPerSocket) {
        throw new RangeError(`At most ${realtimeLimits.topicsPerSocket} topics a connection`);
      }
      entries.set(topic, { wish, phase: 'wanted', id: -1, age: 0 });
    },

    again(topic) {
      const entry = entries.get(topic);
      // Also while an answer is under way: it answers what was wanted before.
      if (entry?.phase === 'live' || entry?.phase === 'asked') entry.phase = 'wanted';
    },

    remove(topic) {
      const entry = entries.get(topic);
      entries.delete(topic);
      if (entry && entry.phase !== 'wanted') leaving.add(topic);
    },

    isLive: (topic) => entries.get(topic)?.phase === 'live',

    next(nextId) {
      // Leave first: the server counts topics.
      for (const topic of leaving) {
        leaving.delete(topic);
        return { type: 'unsub', id: nextId(), topic };
      }
      for (const [topic, entry] of entries) {
        if (entry.phase !== 'wanted') continue;
        entry.phase = 'asked';
        entry.id = nextId();
        entry.age = 0;
        const { wish } = entry;
        const filter = wish.filter?.();
        return { type: 'sub', id: entry.id, topic, ...wish.seen?.(), ...(filter && { filter }) };
      }
      return undefined;
    },

    handle(frame) {
      if (frame.type === 'subscribed') {
        const entry = entries.get(frame.topic);
        const isNewest = frame.id === undefined || frame.id === entry?.id;
        if (entry?.phase === 'asked' && isNewest) entry.phase = 'live';
      } else if (frame.type === 'unsubscribed') {
        // An `unsubscribed` that answers our own `unsub` says nothing about a later `sub`, nor does one that crossed it.
        const isOver = frame.reason !== undefined && entries.get(frame.topic)?.phase === 'live';
        if (isOver) entries.delete(frame.topic);
      } else if (frame.type === 'error') {
        refuse(frame);
      }
    },

    reset() {
      leaving.clear();
      for (const entry of entries.values()) entry.phase = 'wanted';
    },

    tick() {
      let isDue = false;
      for (const entry of entries.values()) {
        entry.age += 1;
        const isLate = entry.phase === 'asked' && entry.age > answerLateAfterTicks;
        if (!isLate && entry.phase !== 'resting') continue;
        entry.phase = 'wanted';
        isDue = true;
      }
      return isDue;
    },
  };

  function refuse(frame: { id?: number; topic?: string; retryable: boolean }): void {
    for (const [topic, entry] of entries) {
      if (entry.phase !== 'asked' || (entry.id !== frame.id && topic !== frame.topic)) continue;
      if (frame.retryable) entry.phase = 'resting';
      else entries.delete(topic);
    }
  }
}
