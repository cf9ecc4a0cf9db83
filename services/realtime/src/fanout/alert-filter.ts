import type { SosEvent } from '@hushryd/contracts/events/sos-event';
import type { TopicFilter } from '@hushryd/contracts/realtime/topic-filter';
import { compileFilter, toFilterable } from '@hushryd/platform/topics/topic-filter';
import type { Verdict } from './event-stream.ts';

interface Told {
  /** The highest that was looked at. */
  version: number;
  /** The socket may have it in its list. */
  mayBeListed: boolean;
}

/** Alerts that one socket's filter remembers; of one that it has forgotten it says once more that it is gone. */
const maxRemembered = 1_000;

/**
 * Which events of alerts one socket is told of through a filter. An alert may stop fitting: somebody acknowledges it, or a press says another
 * place. The event by which this shows is told as `gone`, or whoever lists what fits would keep an alert that nobody waits with any more. A
 * press that joins in silence, within a minute of another, is no event: its place shows by the next one.
 *
 * The socket may list what it never heard of here: from `GET /v1/sos`, or from before it lost its connection. So of an alert that was there
 * before, and does not fit, it is told once that it is gone; and again where a version between was not seen here. One that has not changed
 * since it was raised is nobody's.
 *
 * Cost: two comparisons of a filter and one entry of a map an event; at most 1,000 entries a socket.
 */
export function createAlertFilter(filter: TopicFilter): (event: unknown) => Verdict {
  const fits = compileFilter(filter);
  // Ids stay what they are: what the text does not find now it never found.
  const isNamed = compileFilter(filter.text === undefined ? {} : { text: filter.text });
  const told = new Map<string, Told>();

  function remember(alertId: string, what: Told): void {
    // The newest last, so that the oldest is forgotten first.
    told.delete(alertId);
    told.set(alertId, what);
    const [oldest] = told.keys();
    if (told.size > maxRemembered && oldest !== undefined) told.delete(oldest);
  }

  return (event) => {
    const { alertId, version } = event as Partial<SosEvent>;
    const thing = toFilterable(event);
    const isFitting = fits(thing);
    // A drill has no version: it is in nobody's list.
    if (alertId === undefined || version === undefined) return isFitting ? 'fits' : 'other';
    const before = told.get(alertId);
    // Announced late: a newer one was judged already. Where that one is gone, this one would put it back, and nothing would take it out again.
    if (before !== undefined && version < before.version && !(isFitting && before.mayBeListed)) return 'other';
    if (isFitting) {
      remember(alertId, { version: Math.max(version, before?.version ?? 0), mayBeListed: true });
      return 'fits';
    }
    if (!isNamed(thing)) return 'other';
    remember(alertId, { version, mayBeListed: false });
    // What lies between may have been lost in a hole of the log, and the alert be in a list that was read after it.
    const mayBeListed = before === undefined ? version > 1 : before.mayBeListed || version > before.version + 1;
    return mayBeListed ? 'gone' : 'other';
  };
}
