import { setTimeout as sleep } from 'node:timers/promises';
import { adminSosTopic } from '@hushryd/contracts/realtime/topics';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RecoverEvents } from '@hushryd/platform/topics/recover-events';
import type { AlertDocument } from '../alerts/alert-document.ts';
import type { AlertStore } from '../alerts/alert-store.ts';
import { drillPersonId } from '../alerts/drill-person.ts';
import type { RaiseSos } from '../alerts/raise-sos.ts';
import type { CanaryMetrics, CanaryStage } from './canary-metrics.ts';
import { canaryId } from './canary-person.ts';
import type { DrillStore } from './drill-store.ts';
import { uuidV7 } from './uuid-v7.ts';

export interface CanaryParts {
  raiseSos: Pick<RaiseSos, 'raise'>;
  alerts: Pick<AlertStore, 'find'>;
  drills: Pick<DrillStore, 'end'>;
  recoverEvents: RecoverEvents;
  /** Sees to it that the canary's contact is there. */
  prepareContact: () => Promise<void>;
  withinMs: number;
  metrics: CanaryMetrics;
  log: Logger;
}

const lookEveryMs = 50;

/**
 * Raise one alert of the system's own and watch it go the whole way: held by a majority, told on the operators' topic, sent by whichever
 * process sends alerts, taken by a company; then end it. What does not come in time is counted and logged with how far it got.
 *
 * Pages nobody and opens no incident, as no drill does.
 *
 * @returns whether it got through; never throws
 * Cost: an alert, and a read of it every 50 ms until it is there, usually for less than a second.
 */
export function createCanary(parts: CanaryParts): (signal: AbortSignal) => Promise<boolean> {
  const { raiseSos, alerts, drills, recoverEvents, metrics, log } = parts;

  async function raise(alertId: string): Promise<boolean> {
    const reply = await raiseSos.raise({
      identity: { userId: drillPersonId({ userId: canaryId, alertId }), role: 'rider' },
      trigger: { alertId, triggeredAt: new Date().toISOString() },
      isTokenExpired: false,
      isDrill: true,
      via: 'https',
    });
    return reply.durability === 'majority';
  }

  async function isAnnounced(alertId: string): Promise<boolean> {
    const found = await recoverEvents(adminSosTopic, { epoch: '', offset: 0 });
    return found.recovered && found.messages.some(({ event }) => (event as { alertId?: string }).alertId === alertId);
  }

  async function hasEntry(alertId: string, fits: (entry: AlertDocument['outbox'][number]) => boolean) {
    const alert = await alerts.find(alertId);
    return alert?.outbox.some((entry) => entry.recipient.kind === 'contact' && fits(entry)) ?? false;
  }

  /** Until it is so; what fails is asked again. @returns what went wrong last, where time runs out */
  async function until(look: () => Promise<boolean>, untilMs: number, signal: AbortSignal) {
    for (let last: unknown; ; ) {
      try {
        if (await look()) return 'reached';
      } catch (error) {
        last = error;
      }
      if (performance.now() >= untilMs || signal.aborted) return { last };
      await sleep(lookEveryMs);
    }
  }

  return async (signal) => {
    const alertId = uuidV7();
    const startedAt = performance.now();
    const untilMs = startedAt + parts.withinMs;
    let isPressed = false;
    const way: [CanaryStage, () => Promise<boolean>][] = [
      [
        'persisted',
        async () => {
          await parts.prepareContact();
          isPressed = true;
          return raise(alertId);
        },
      ],
      ['announced', () => isAnnounced(alertId)],
      ['first_attempt', () => hasEntry(alertId, ({ attempts }) => attempts > 0)],
      ['accepted', () => hasEntry(alertId, ({ state }) => state === 'ACCEPTED' || state === 'DELIVERED')],
      ['ended', () => drills.end({ alertId, state: 'resolved', by: canaryId }).then(() => true)],
    ];
    for (const [stage, look] of way) {
      const outcome = await until(look, untilMs, signal);
      const tookSeconds = (performance.now() - startedAt) / 1_000;
      if (outcome === 'reached') {
        metrics.reached(stage, tookSeconds);
        continue;
      }
      // What is left open is ended by the workers.
      if (isPressed) await drills.end({ alertId, state: 'cancelled', by: canaryId }).catch(() => undefined);
      if (signal.aborted) return false;
      metrics.failed(stage);
      log.error({ alertId, stage, tookSeconds, err: outcome.last }, 'the canary alert did not get through');
      return false;
    }
    metrics.passed(0);
    return true;
  };
}
