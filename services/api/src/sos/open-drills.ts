import { createCanary } from '@hushryd/outreach/drills/canary';
import { createCanaryMetrics } from '@hushryd/outreach/drills/canary-metrics';
import type { CanarySettings } from '@hushryd/outreach/drills/canary-settings';
import { createDrillStore } from '@hushryd/outreach/drills/drill-store';
import { putCanaryContact } from '@hushryd/outreach/drills/put-canary-contact';
import { createRaiseDrill, drillLimits } from '@hushryd/outreach/drills/raise-drill';
import { createCodeBudgets } from '@hushryd/outreach/people/codes/code-budgets';
import type { ContactBook } from '@hushryd/outreach/people/contacts/contact-book';
import type { Lifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { createRecoverEvents } from '@hushryd/platform/topics/recover-events';
import type { Db } from 'mongodb';
import { startCanary } from './canary-schedule.ts';
import type { SosParts } from './open-sos.ts';

export interface DrillParts {
  raiseDrill: ReturnType<typeof createRaiseDrill>;
}

/** Drills of people, and the canary: an alert of the system's own that this process raises when it is its turn. */
export function openDrills({
  canary: settings,
  sos: { store, raiseSos },
  book,
  db,
  redis,
  keys,
  deadlineMs,
  telemetry,
  lifecycle,
  log,
}: {
  canary: CanarySettings | undefined;
  sos: Pick<SosParts, 'store' | 'raiseSos'>;
  book: Pick<ContactBook, 'put'>;
  db: Db;
  redis: RedisClient;
  keys: Keys;
  deadlineMs: number;
  telemetry: Telemetry;
  lifecycle: Lifecycle;
  log: Logger;
}): DrillParts {
  const budgets = createCodeBudgets({ db, deadlineMs, limits: drillLimits });
  const raiseDrill = createRaiseDrill({ raiseSos, store, budgets });
  if (settings === undefined) {
    log.warn({}, 'no canary alert is raised: SOS_CANARY_TO names nobody, or SOS_CANARY_EVERY_MS is 0');
    return { raiseDrill };
  }
  const drills = createDrillStore({ db, deadlineMs });
  const metrics = createCanaryMetrics(telemetry);
  const runCanary = createCanary({
    raiseSos,
    alerts: store,
    drills,
    recoverEvents: createRecoverEvents({ redis, keys }),
    prepareContact: putCanaryContact({ book, to: settings.to }),
    withinMs: settings.withinMs,
    metrics,
    log,
  });
  const schedule = startCanary({ runCanary, drills, metrics, redis, keys, everyMs: settings.everyMs, log });
  lifecycle.add('canary alert', () => schedule.close());
  return { raiseDrill };
}
