import { AppError } from '@hushryd/platform/errors/app-error';
import type { AlertDocument } from './alert-document.ts';
import { type AlertOrder, type AlertWork, changeAlert } from './change-alert.ts';
import { sealFactText } from './fact-text.ts';
import type { NoteSealer } from './note-sealer.ts';

/**
 * A person takes care: the escalation stops. One of several wins, the others are told who. Again by the same one it changes nothing.
 *
 * @param order.atMs when, where that was a while ago: it says nothing of a press that came later
 * @throws AppError `sos_taken` (somebody else has), `sos_state_conflict` (it is closed), `not_found`, `database_unavailable`
 */
export function acknowledgeAlert(
  work: AlertWork,
  { atMs = Number.POSITIVE_INFINITY, ...order }: AlertOrder & { atMs?: number },
): Promise<AlertDocument> {
  return changeAlert(work, order, (alert) => {
    assertOpen(alert);
    if (lastPressOf(alert) > atMs) return undefined;
    if (alert.state === 'acknowledged') {
      if (alert.acknowledgedBy === order.by) return undefined;
      throw new AppError('sos_taken', { detail: `acknowledged by ${alert.acknowledgedBy}` });
    }
    return {
      set: { state: 'acknowledged', acknowledgedBy: order.by },
      now: ['acknowledgedAt'],
      escalation: 'stop',
      outbox: 'acknowledge',
      fact: { kind: 'acknowledged', by: order.by },
      event: 'sos.acknowledged',
    };
  });
}

/**
 * Somebody of the staff works on it. The escalation goes on until it is acknowledged.
 *
 * @throws AppError `sos_taken` where a colleague has it and it is not to be taken over, `sos_state_conflict`, `not_found`,
 *   `database_unavailable`
 */
export function claimAlert(
  work: AlertWork,
  { takeOver, ...order }: AlertOrder & { takeOver: boolean },
): Promise<AlertDocument> {
  return changeAlert(work, order, (alert) => {
    assertOpen(alert);
    if (alert.claimedBy === order.by) return undefined;
    if (alert.claimedBy !== undefined && !takeOver) {
      throw new AppError('sos_taken', { detail: `claimed by ${alert.claimedBy}` });
    }
    return {
      set: { claimedBy: order.by },
      now: ['claimedAt'],
      fact: {
        kind: 'claimed',
        by: order.by,
        ...(alert.claimedBy !== undefined && { data: { takenOverFrom: alert.claimedBy } }),
      },
      event: 'sos.claimed',
    };
  });
}

/**
 * Write something down, also when the alert is closed. The same `noteId` again changes nothing.
 *
 * @throws AppError `not_found`, `database_unavailable`
 */
export function noteAlert(
  work: AlertWork & { sealer: Pick<NoteSealer, 'seal'> },
  { noteId, text, ...order }: AlertOrder & { noteId: string; text: string },
): Promise<AlertDocument> {
  return changeAlert(work, order, (alert) => ({
    fact: {
      factId: `note-${order.by}-${noteId}`,
      kind: 'note',
      by: order.by,
      text: sealFactText(work.sealer, text, { personId: alert.person.userId }),
    },
    event: 'sos.noted',
  }));
}

/**
 * End an alert: helped, or nothing was wrong. Whoever ends it has seen it, so that the escalation stops too.
 *
 * @throws AppError `sos_state_conflict` (it has ended otherwise), `not_found`, `database_unavailable`
 */
export function closeAlert(
  work: AlertWork & { sealer: Pick<NoteSealer, 'seal'> },
  { state, reason, ...order }: AlertOrder & { state: 'resolved' | 'false_alarm'; reason: string },
): Promise<AlertDocument> {
  return changeAlert(work, order, (alert) => {
    if (alert.state === state && alert.closedBy === order.by) return undefined;
    assertOpen(alert);
    const closeReason = sealFactText(work.sealer, reason, { personId: alert.person.userId });
    return {
      set: { state, open: false, closedBy: order.by, closeReason },
      now: ['closedAt'],
      escalation: 'stop',
      outbox: 'close',
      fact: { kind: state, by: order.by, text: closeReason },
      event: `sos.${state}`,
    };
  });
}

/** When the escalation began, by the clock of the node that took that press. */
function lastPressOf({ triggers }: AlertDocument): number {
  return Math.max(...triggers.flatMap(({ kind, acceptedAt }) => (kind === 'merged' ? [] : [acceptedAt.getTime()])));
}

export function assertOpen(alert: AlertDocument): void {
  if (!alert.open) throw new AppError('sos_state_conflict', { detail: `the alert is ${alert.state}` });
}
