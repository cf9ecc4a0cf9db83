import { randomUUID } from 'node:crypto';
import type { LateAck } from '../alerts/alert-signals.ts';
import type { TriggerRecord } from '../alerts/trigger-record.ts';
import type { AlertAttemptDocument } from '../dispatch/alert-attempts.ts';
import type { EntryChange } from '../dispatch/entry-change.ts';
import type { JournalEntry } from '../journal/journal.ts';

/** What happened to an alert that a node sends by itself, as its journal holds it. Plain JSON, times by the node's clock. */
export type DirectRecord = { alertId: string; atMs: number } & (
  | { kind: 'changed'; change: EntryChange; attempts: AlertAttemptDocument[] }
  | { kind: 'escalated'; claimId: string; nextAtMs: number }
  | ({ kind: 'acknowledged' } & LateAck)
);

/** What the journal of alerts holds: presses, and what a node did about them while the database was away. */
export type AlertRecord = TriggerRecord | DirectRecord;

export const isPress = (body: AlertRecord): body is TriggerRecord => !('kind' in body);

/** By whom a journal finds a press, and by what the rest: the person, or the alert. */
export const personOrAlertOf = (body: AlertRecord): string => (isPress(body) ? body.userId : body.alertId);

/** Somebody who acknowledges twice says it once; of a key that was pressed in a call nobody knows yet whose it was. */
export const toDirectEntry = (body: DirectRecord): JournalEntry<AlertRecord> => ({
  key: `${body.kind}:${body.alertId}:${body.kind === 'acknowledged' ? (body.attemptId ?? body.by) : randomUUID()}`,
  body,
});

/** JSON has no dates. */
export const toAttempts = (attempts: readonly AlertAttemptDocument[]): AlertAttemptDocument[] =>
  attempts.map(({ statusAt, ...made }) => ({
    ...made,
    ...(statusAt !== undefined && { statusAt: new Date(statusAt) }),
  }));
