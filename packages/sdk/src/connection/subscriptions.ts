import type { SubFrame, UnsubFrame } from '@hushryd/contracts/realtime/client-frames';
import { realtimeLimits } from '@hushryd/contracts/realtime/limits';
import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';

/** The topics that the app wants, brought into line with what the server was asked for on this socket. */
export interface Subscriptions {
  /** @throws RangeError beyond the protocol's topics per socket */
  add(topic: string): void;
  remove(topic: string): void;
  /** The next `sub` or `unsub` that is due. */
  next(nextId: () => number): SubFrame | UnsubFrame | undefined;
  handle(frame: ServerFrame): void;
  /** A new socket knows nothing: everything has to be asked for again. */
  reset(): void;
  /** Called every few seconds; true if something is due again. */
  tick(): boolean;
}

interface Entry {
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
    add(topic) {
      if (entries.has(topic)) return;
      if (entries.size >= realtimeLimits.topicsPerSocket) {
        throw new RangeError(`At most ${realtimeLimits.topicsPerSocket} topics a connection`);
      }
      entries.set(topic, { phase: 'wanted', id: -1, age: 0 });
    },

    remove(topic) {
      const entry = entries.get(topic);
      entries.delete(topic);
      if (entry && entry.phase !== 'wanted') leaving.add(topic);
    },

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
        return { type: 'sub', id: entry.id, topic };
      }
      return undefined;
    },

    handle(frame) {
      if (frame.type === 'subscribed') {
        const entry = entries.get(frame.topic);
        if (entry?.phase === 'asked') entry.phase = 'live';
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
