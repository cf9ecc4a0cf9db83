import type { EventPlace } from './event-place.ts';

/** Alerts of one topic that were told, but that no handler has dealt with: all threw, or there was none. */
export interface UnhandledAlerts {
  has(offset: number): boolean;
  /** An alert was told. @returns false where there are too many: the oldest of them is given up */
  note(offset: number, isHandled: boolean): boolean;
  /** Everything up to here was dealt with: what may be acknowledged, and from where to ask again. */
  handledThrough(told: EventPlace): EventPlace;
  /** The log went another way. @returns was anything given up with it? */
  clear(): boolean;
}

/** The server's log of a topic has no more. */
const maxUnhandled = 300;

export function createUnhandledAlerts(): UnhandledAlerts {
  const offsets = new Set<number>();
  const lowest = (): number => Math.min(...offsets);

  return {
    has: (offset) => offsets.has(offset),
    note(offset, isHandled) {
      if (isHandled) offsets.delete(offset);
      else offsets.add(offset);
      if (offsets.size <= maxUnhandled) return true;
      offsets.delete(lowest());
      return false;
    },
    handledThrough: (told) => (offsets.size === 0 ? told : { epoch: told.epoch, offset: lowest() - 1 }),
    clear() {
      const hadAny = offsets.size > 0;
      offsets.clear();
      return hadAny;
    },
  };
}
