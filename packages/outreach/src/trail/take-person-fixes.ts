import type { SosFixesReply, TakenSosFixes, TrailPoint } from '@hushryd/contracts/http/sos-trail';
import { sosTopic } from '@hushryd/contracts/realtime/topics';
import { AppError, toAppError } from '@hushryd/platform/errors/app-error';
import { raceTimer } from '@hushryd/platform/lifecycle/race-timer';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { PublishPassing } from '@hushryd/platform/topics/publish-passing';
import type { AcceptLimits } from '@hushryd/tracking/accept-fix';
import type { PersonFixDocument, TrailFixes } from '@hushryd/tracking/history/trail-fixes';
import type { AlertMetrics } from '../alerts/alert-metrics.ts';
import type { AlertStore } from '../alerts/alert-store.ts';
import { acceptPersonFixes, type PersonFix } from './accept-person-fixes.ts';
import type { TrackedAlerts } from './tracked-alerts.ts';
import { toTrailPoint } from './trail-point.ts';

/** @param by the person who sends them */
export type TakePersonFixes = (given: TakenSosFixes & { alertId: string; by: string }) => Promise<SosFixesReply>;

/** What those who watch wait for goes out within this, or is left to the next one. */
const publishWithinMs = 150;

/**
 * Take fixes of the person who raised an alert, while it is open: pass them on to those who watch it, and store them. They never move a
 * position, and need no trip.
 *
 * The two ways do not wait for one another. While MongoDB is away Redis knows which alerts are open, so that fixes go on to those who watch; they
 * are stored when the phone sends them again, since the answer names as durable what a majority has, and nothing else.
 *
 * @throws AppError `not_found` (unknown, or somebody else's), `sos_state_conflict` (it has ended), `database_unavailable` where neither
 *   store knows of the alert
 * Cost: one read, one majority write, two Redis round trips.
 */
export function createTakePersonFixes({
  store,
  tracked,
  fixes: history,
  publishPassing,
  limits,
  metrics,
  log,
  now = Date.now,
}: {
  store: Pick<AlertStore, 'find'>;
  tracked: Pick<TrackedAlerts, 'find' | 'noteLocation'>;
  fixes: Pick<TrailFixes, 'insert'>;
  publishPassing: PublishPassing;
  limits: Pick<AcceptLimits, 'maxFixAgeMs'>;
  metrics: Pick<AlertMetrics, 'fixPartsChanged'>;
  log: Logger;
  now?: () => number;
}): TakePersonFixes {
  /** @returns the alert's own id */
  async function findOpen(alertId: string, by: string): Promise<string> {
    let failure: unknown = new AppError('not_found');
    const stored = await store.find(alertId).catch((error: unknown) => {
      failure = error;
      return null;
    });
    const found = stored ?? (await findTracked(alertId));
    if (found === undefined) throw failure;
    if (found.person.userId !== by) throw new AppError('not_found');
    if (!found.open) throw new AppError('sos_state_conflict', { detail: `the alert is ${found.state}` });
    return found._id;
  }

  /** Of an alert that the database does not have yet, or that it cannot say anything of. */
  async function findTracked(alertId: string) {
    const known = await tracked.find(alertId).catch(() => undefined);
    if (known === undefined) return undefined;
    return { _id: known.alertId, open: true, state: known.status, person: { userId: known.userId } };
  }

  async function tell(alertId: string, points: TrailPoint[]): Promise<void> {
    const newest = points.at(-1);
    if (newest === undefined) return;
    try {
      const told = Promise.all([
        publishPassing(sosTopic(alertId), { trail: points }),
        tracked.noteLocation(alertId, newest),
      ]);
      await raceTimer(
        told.then(() => undefined),
        publishWithinMs,
        () => undefined,
      );
    } catch (error) {
      log.warn({ alertId, code: toAppError(error).code }, 'fixes of an alert not passed on');
    }
  }

  async function keep(documents: PersonFixDocument[], alertId: string): Promise<boolean> {
    try {
      await history.insert(documents);
      return true;
    } catch (error) {
      log.warn({ alertId, code: toAppError(error).code, count: documents.length }, 'fixes of an alert not stored yet');
      return false;
    }
  }

  return async ({ alertId: asked, by, run, fixes }) => {
    const alertId = await findOpen(asked, by);
    const nowMs = now();
    const { accepted, drops, changed } = acceptPersonFixes({ fixes, limits, nowMs });
    for (const field of changed) metrics.fixPartsChanged.inc({ field });
    const inOrder = [...accepted].sort((a, b) => a.recordedAtMs - b.recordedAtMs);
    const documents = inOrder.map((fix) => toDocument({ fix, run, alertId, personId: by, nowMs }));
    const [isDurable] = await Promise.all([
      keep(documents, alertId),
      tell(
        alertId,
        inOrder.map((fix) => toTrailPoint('person', fix.recordedAtMs, fix)),
      ),
    ]);
    return { alertId, run, durableSeqs: isDurable ? accepted.map(({ seq }) => seq) : [], drops };
  };
}

function toDocument({
  fix: { recordedAtMs, ...reading },
  run,
  alertId,
  personId,
  nowMs,
}: {
  fix: PersonFix;
  run: number;
  alertId: string;
  personId: string;
  nowMs: number;
}): PersonFixDocument {
  return {
    ts: new Date(recordedAtMs),
    meta: { alertId, personId },
    run,
    ...reading,
    receivedAt: new Date(nowMs),
  };
}
