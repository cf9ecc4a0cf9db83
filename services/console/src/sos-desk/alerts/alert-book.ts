import type { SosEvent } from '@hushryd/contracts/events/sos-event';
import type { AlertSummary } from '@hushryd/contracts/http/sos';
import { applyEvent, compareUrgency, type DeskAlert, isOpen } from './desk-alert.ts';

/** The open alerts, put together from readings and events that may overtake each other: of each alert the highest version counts. */
export interface AlertBook {
  /** Most urgent first; the same array until something changes. */
  open(): readonly DeskAlert[];
  /** @returns whether it said anything new */
  tell(event: SosEvent, nowMs: number): boolean;
  /** One alert as it was read. */
  learn(alert: AlertSummary, nowMs: number): void;
  /** All that are open, as a reading that began at `askedAtMs` had them. What is not among them and was known before has ended. */
  replace(alerts: readonly AlertSummary[], askedAtMs: number): void;
}

interface Entry {
  alert: DeskAlert;
  learntAtMs: number;
}

/** More alerts than this at once is another kind of disaster; the most urgent stay. */
export const maxOpenAlerts = 500;
const maxEnded = 500;
const provisionalMs = 60_000;

export function createAlertBook(): AlertBook {
  const entries = new Map<string, Entry>();
  /** Versions at which alerts ended, so that an answer on its way does not bring one back. Oldest first. */
  const ended = new Map<string, number>();
  let sorted: readonly DeskAlert[] | undefined;

  function put(alert: DeskAlert, learntAtMs: number): boolean {
    const known = entries.get(alert.alertId);
    if ((ended.get(alert.alertId) ?? 0) >= alert.version) return false;
    if (known !== undefined && known.alert.version > alert.version) return false;
    sorted = undefined;
    if (isOpen(alert)) entries.set(alert.alertId, { alert, learntAtMs });
    else end(alert);
    return true;
  }

  function end({ alertId, version }: DeskAlert): void {
    entries.delete(alertId);
    ended.delete(alertId);
    ended.set(alertId, version);
    const [oldest] = ended.keys();
    if (ended.size > maxEnded && oldest !== undefined) ended.delete(oldest);
  }

  return {
    open() {
      sorted ??= sort();
      return sorted;
    },
    tell(event, nowMs) {
      const next = applyEvent(entries.get(event.alertId)?.alert, event);
      return next !== undefined && put(next, nowMs);
    },
    learn(alert, nowMs) {
      put(alert, nowMs);
    },
    replace(alerts, askedAtMs) {
      const named = new Set(alerts.map(({ alertId }) => alertId));
      for (const [alertId, { alert, learntAtMs }] of entries) {
        if (named.has(alertId) || learntAtMs >= askedAtMs) continue;
        // What the database does not have yet is in no reading; once it answers, it has what a node's journal held within seconds.
        if (alert.isProvisional && askedAtMs - learntAtMs < provisionalMs) continue;
        entries.delete(alertId);
        sorted = undefined;
      }
      for (const alert of alerts) put(alert, askedAtMs);
    },
  };

  function sort(): readonly DeskAlert[] {
    const alerts = Array.from(entries.values(), ({ alert }) => alert).sort(compareUrgency);
    for (const { alertId } of alerts.slice(maxOpenAlerts)) entries.delete(alertId);
    return alerts.slice(0, maxOpenAlerts);
  }
}
