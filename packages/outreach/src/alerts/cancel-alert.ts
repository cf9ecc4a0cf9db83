import { AppError } from '@hushryd/platform/errors/app-error';
import type { PinVerdict } from '../people/safety/verify-pin.ts';
import type { AlertDocument } from './alert-document.ts';
import { type AlertOrder, type AlertWork, assertNoDrill, changeAlert } from './change-alert.ts';
import { assertOpen } from './handle-alert.ts';

/** What a PIN says of its person's alert. `unset`: the person has none. `locked`: from now on only an operator ends the alert. */
export type VerifyCancelPin = (
  userId: string,
  pin: string,
  options: { setUntil: Date },
) => Promise<PinVerdict | 'unset'>;

/**
 * The person who raised an alert ends it by PIN. Under duress it is shown to the person's devices as cancelled, and nothing else changes:
 * the alert stays open, its escalation begins anew at once, also where somebody had acknowledged it, and the operators are told. Both take one
 * write, and answer alike.
 *
 * PINs that were set since the alert was raised say nothing of it: whoever took the unlocked phone away may have set them.
 *
 * @throws AppError `sos_pin_refused` (wrong, locked, or set too late), `sos_pin_unset`, `sos_state_conflict`, `not_found`, `database_unavailable`
 */
export async function cancelAlert(
  work: AlertWork & { verifyPin: VerifyCancelPin },
  { pin, ...order }: AlertOrder & { pin: string },
): Promise<AlertDocument> {
  const known = await work.store.find(order.alertId);
  if (known === null) throw new AppError('not_found');
  // Before the PIN, so that nobody tries PINs on somebody else's alert.
  order.authorise(known);
  assertNoDrill(known);
  const verdict = await work.verifyPin(order.by, pin, { setUntil: raisedAt(known) });
  if (verdict === 'unset') throw new AppError('sos_pin_unset');
  if (verdict === 'wrong' || verdict === 'locked' || verdict === 'late') throw new AppError('sos_pin_refused');

  return changeAlert(work, order, (alert) => {
    if (alert.state === 'cancelled') return undefined;
    if (verdict === 'duress') {
      if (alert.duressAt !== undefined) return undefined;
      assertOpen(alert);
      return {
        set: { state: 'open' },
        unset: ['acknowledgedBy', 'acknowledgedAt'],
        now: ['duressAt'],
        escalation: 'restart',
        reopens: alert.state === 'acknowledged',
        fact: { kind: 'duress', by: order.by },
        event: 'sos.duress',
      };
    }
    assertOpen(alert);
    return {
      set: { state: 'cancelled', open: false, closedBy: order.by },
      now: ['closedAt'],
      escalation: 'stop',
      outbox: 'close',
      fact: { kind: 'cancelled', by: order.by },
      event: 'sos.cancelled',
    };
  });
}

/** PINs are dated by a node's clock, so the earlier of what the node and the database say of the alert counts. */
function raisedAt({ acceptedAt, receivedAt }: AlertDocument): Date {
  return acceptedAt < receivedAt ? acceptedAt : receivedAt;
}
