import { readPress } from '@hushryd/contracts/http/read-press';
import type { SosTrigger } from '@hushryd/contracts/http/sos';
import type { AlertMetrics } from '@hushryd/outreach/alerts/alert-metrics';
import type { Logger } from '@hushryd/platform/logging/logger';

/** @returns the press, or undefined where it has no valid `alertId`: then the route's schema says what is wrong */
export type TakePress = (given: unknown, correlationId: string) => SosTrigger | undefined;

/**
 * Presses as they come over HTTP: each becomes one that the schema takes, before the schema sees it. What had to be left out is counted,
 * and logged by name alone: who is in danger, and where, is in no log.
 */
export function createTakePress({
  metrics,
  log,
  now = Date.now,
}: {
  metrics: Pick<AlertMetrics, 'partsDropped'>;
  log: Logger;
  now?: () => number;
}): TakePress {
  return (given, correlationId) => {
    const read = readPress(given, now());
    if (read === undefined) return undefined;
    const { trigger, dropped } = read;
    for (const field of dropped) metrics.partsDropped.inc({ field });
    if (dropped.length > 0) {
      log.warn({ triggerId: trigger.alertId, correlationId, parts: dropped }, 'parts of a press not taken');
    }
    return trigger;
  };
}
