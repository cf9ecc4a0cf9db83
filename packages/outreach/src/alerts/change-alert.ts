import { randomUUID } from 'node:crypto';
import type { SosEventName } from '@hushryd/contracts/events/sos-event';
import { AppError } from '@hushryd/platform/errors/app-error';
import { mongoOutcome } from '@hushryd/platform/mongo/deadline';
import type { Document } from 'mongodb';
import type { AlertDocument } from './alert-document.ts';
import type { AlertStore } from './alert-store.ts';
import type { AnnounceAlert } from './announce-alert.ts';
import { appendFacts, type NewFact } from './append-facts.ts';
import { outboxAfter, withEntries } from './end-outbox.ts';
import { reopenIncident } from './plan-outbox.ts';
import type { PlannedEntry } from './trigger-record.ts';
import { settleWork } from './work-at.ts';

/** What the commands of this folder work with. */
export interface AlertWork {
  store: Pick<AlertStore, 'find' | 'changeIf' | 'hasFact'>;
  announce: AnnounceAlert;
}

/** Whoever gives an order about an alert. */
export interface AlertOrder {
  alertId: string;
  by: string;
  /** Throws where the caller may not give it; asked for each version that is read. */
  authorise: (alert: AlertDocument) => void;
}

/** What a command makes of an alert. Times are the database's, by `now`. */
export interface AlertChange {
  set?: Partial<
    Omit<AlertDocument, '_id' | 'version' | 'facts' | 'hasFacts' | 'timelineHead' | 'escalation' | 'outbox'>
  >;
  /** Fields that hold no more. */
  unset?: ('acknowledgedBy' | 'acknowledgedAt')[];
  /** Fields that get the time of the write. */
  now?: ('claimedAt' | 'acknowledgedAt' | 'closedAt' | 'duressAt')[];
  escalation?: 'stop' | 'restart';
  /** What has to be told of it, and what has not any more: see end-outbox.ts. */
  outbox?: 'acknowledge' | 'close';
  /** Whoever had acknowledged it does not take care any more: an incident is opened anew. */
  reopens?: boolean;
  /** Somebody else to be told. */
  addEntry?: PlannedEntry;
  /** `factId` only where the client made one. */
  fact: Omit<NewFact, 'factId'> & { factId?: string };
  event: SosEventName;
}

const maxAttempts = 5;

/**
 * Change an alert: read it, decide, write on condition that nobody was faster, else decide anew. Then announce it. Its outbox and
 * escalation may move meanwhile: only the fields that the command names are written.
 *
 * A write without an answer is looked for by its fact: where it is there, it was applied.
 *
 * A drill takes no orders: it ends by itself, and nothing that is said of it may page anybody.
 *
 * @param decide undefined where the alert already is as asked (a retry)
 * @throws AppError `not_found`, `sos_state_conflict` (a drill), whatever `authorise` and `decide` throw, `database_unavailable`
 * Cost: one read and one majority write, two script calls; one read more for a note.
 */
export async function changeAlert(
  { store, announce }: AlertWork,
  { alertId, by, authorise }: AlertOrder,
  decide: (alert: AlertDocument) => AlertChange | undefined,
): Promise<AlertDocument> {
  const commandId = randomUUID();
  let unanswered: AlertChange | undefined;
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    const alert = await store.find(alertId);
    if (alert === null) throw new AppError('not_found');
    authorise(alert);
    assertNoDrill(alert);
    if (unanswered !== undefined && (await hasFact(alert, unanswered))) return tell(alert, unanswered.event);
    const change = decide(alert);
    if (change === undefined) return alert;
    if (change.fact.factId !== undefined && (await hasFact(alert, change))) return tell(alert, change.event);

    try {
      const pipeline = toPipeline(change, factIdOf(change));
      const changed = await store.changeIf({ _id: alert._id, version: alert.version }, pipeline);
      if (changed !== undefined) return tell(changed, change.event);
    } catch (error) {
      if (unanswered !== undefined || mongoOutcome(error) !== 'unknown') throw error;
      unanswered = change;
    }
  }
  throw new AppError('database_unavailable', { detail: 'the alert changed faster than it could be written' });

  function factIdOf({ fact }: AlertChange): string {
    return fact.factId ?? `${fact.kind}-${commandId}`;
  }

  function hasFact(alert: AlertDocument, change: AlertChange): Promise<boolean> {
    return store.hasFact(alert, factIdOf(change));
  }

  async function tell(alert: AlertDocument, name: SosEventName): Promise<AlertDocument> {
    await announce({ alert, name, atMs: alert.changedAt.getTime(), byUserId: by });
    return alert;
  }
}

export function assertNoDrill({ isDrill }: Pick<AlertDocument, 'isDrill'>): void {
  if (isDrill) throw new AppError('sos_state_conflict', { detail: 'it is a drill, which ends by itself' });
}

function toPipeline(change: AlertChange, factId: string): Document[] {
  const { set = {}, unset = [], now = [], escalation, outbox, reopens, addEntry, fact } = change;
  const added = [...(reopens ? [reopenIncident(factId)] : []), ...(addEntry === undefined ? [] : [addEntry])];
  const literals = Object.entries(set).map(([field, value]) => [field, { $literal: value }]);
  return [
    {
      $set: {
        ...Object.fromEntries(literals),
        ...Object.fromEntries(unset.map((field) => [field, '$$REMOVE'])),
        ...Object.fromEntries(now.map((field) => [field, '$$NOW'])),
        ...(escalation === 'stop' && { 'escalation.nextAt': { $literal: null } }),
        ...(escalation === 'restart' && { escalation: { level: { $literal: 0 }, nextAt: '$$NOW' } }),
        ...appendFacts([{ fact: { ...fact, factId } }]),
        ...(outbox !== undefined && { outbox: outboxAfter(outbox) }),
        ...(added.length > 0 && { outbox: withEntries(added) }),
        version: { $add: ['$version', 1] },
        changedAt: '$$NOW',
      },
    },
    ...settleWork,
  ];
}
