import { type AlertStore, createAlertStore } from '@hushryd/outreach/alerts/alert-store';
import { createTimelineSealer, sealingShare, type TimelineSealer } from '@hushryd/outreach/timeline/seal-timelines';
import { createTimelineStore, type TimelineStore } from '@hushryd/outreach/timeline/timeline-store';
import type { Lifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { createPeriodic } from '@hushryd/platform/lifecycle/periodic';
import { createRest } from '@hushryd/platform/lifecycle/rest';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { createTrailFixes, type TrailFixes } from '@hushryd/tracking/history/trail-fixes';
import type { Db } from 'mongodb';

/** What the routes of a timeline work with. */
export interface TimelineParts {
  alerts: AlertStore;
  timeline: TimelineStore;
  sealer: TimelineSealer;
  trailFixes: Pick<TrailFixes, 'readPerson'>;
}

/** Workers seal every two seconds. Where none runs, facts must not pile up in the alerts: escalations go on for ever. */
const sealEveryMs = 10_000;

/** The timeline of alerts. @param db not the pool of intake: an accept waits for nobody who reads */
export function openTimeline({
  db,
  deadlineMs,
  telemetry,
  log,
  lifecycle,
}: {
  db: Db;
  deadlineMs: number;
  telemetry: Telemetry;
  log: Logger;
  lifecycle: Lifecycle;
}): TimelineParts {
  const sealer = createTimelineSealer({ db, deadlineMs, telemetry, log });
  const rest = createRest(sealingShare);
  const periodic = createPeriodic({
    name: 'seal timelines',
    everyMs: sealEveryMs,
    run: async (signal) => void (await rest.unlessResting(() => sealer.sealDue(signal))),
    log,
  });
  periodic.start();
  lifecycle.add('seal timelines', () => periodic.close());
  return {
    alerts: createAlertStore({ db, deadlineMs }),
    timeline: createTimelineStore({ db, deadlineMs }),
    sealer,
    trailFixes: createTrailFixes({ db, deadlineMs }),
  };
}
