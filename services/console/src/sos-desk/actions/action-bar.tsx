import { Check, Hand, NotebookPen, Phone, ShieldCheck, ShieldX } from 'lucide-react';
import { useState } from 'react';
import { useBackend } from '../../data/backend.ts';
import { TextButton } from '../../feedback/text-button.tsx';
import { useKey } from '../../feedback/use-key.ts';
import { type DeskAlert, isOpen } from '../alerts/desk-alert.ts';
import styles from './actions.module.css';
import { CallDialog } from './call-dialog.tsx';
import { EndDialog } from './end-dialog.tsx';
import { NoteDialog } from './note-dialog.tsx';
import { OutcomeLine } from './outcome-line.tsx';
import { TakeOverDialog } from './take-over-dialog.tsx';
import { useAlertOrders } from './use-alert-orders.ts';

type OpenDialog = 'take-over' | 'call' | 'note' | 'resolve' | 'dismiss';

/** What can be done about one alert, each with its key. Mount it anew for another alert. */
export function ActionBar({ alert }: { alert: DeskAlert }) {
  const { user } = useBackend();
  const orders = useAlertOrders(alert.alertId);
  const [dialog, setDialog] = useState<OpenDialog>();
  const canHandle = isOpen(alert);
  const isMine = alert.claimedBy === user.userId;
  const isTaken = alert.claimedBy !== undefined && !isMine;
  const canClaim = canHandle && !isMine;
  const claimWords = isTaken ? 'Take over' : 'Claim';
  const canAcknowledge = canHandle && alert.state === 'open';

  const claim = () => (isTaken ? setDialog('take-over') : orders.give({ kind: 'claim', takeOver: false }));
  const acknowledge = () => orders.give({ kind: 'acknowledge' });
  useKey('c', claim, canClaim);
  useKey('a', acknowledge, canAcknowledge);
  useKey('n', () => setDialog('note'));
  useKey('p', () => setDialog('call'), canHandle);
  useKey('r', () => setDialog('resolve'), canHandle);
  useKey('f', () => setDialog('dismiss'), canHandle);

  const close = () => setDialog(undefined);
  return (
    <div className={styles.actions}>
      <div className={styles.buttons} role="toolbar" aria-label="Actions">
        <TextButton keyName="C" disabled={!canClaim} onClick={claim}>
          <Hand size={14} aria-hidden /> {isMine ? 'Yours' : claimWords}
        </TextButton>
        <TextButton
          keyName="A"
          disabled={!canAcknowledge}
          data-main={canAcknowledge || undefined}
          onClick={acknowledge}
        >
          <Check size={14} aria-hidden /> {canAcknowledge ? 'Acknowledge' : 'Acknowledged'}
        </TextButton>
        <TextButton keyName="N" onClick={() => setDialog('note')}>
          <NotebookPen size={14} aria-hidden /> Note
        </TextButton>
        <TextButton keyName="P" disabled={!canHandle} onClick={() => setDialog('call')}>
          <Phone size={14} aria-hidden /> Call
        </TextButton>
        <TextButton keyName="R" disabled={!canHandle} onClick={() => setDialog('resolve')}>
          <ShieldCheck size={14} aria-hidden /> Resolve
        </TextButton>
        <TextButton keyName="F" disabled={!canHandle} onClick={() => setDialog('dismiss')}>
          <ShieldX size={14} aria-hidden /> False alarm
        </TextButton>
      </div>
      <OutcomeLine alert={alert} outcome={orders.outcome} isBusy={orders.isBusy} />
      <TakeOverDialog isOpen={dialog === 'take-over'} alert={alert} orders={orders} onClose={close} />
      <CallDialog isOpen={dialog === 'call'} alert={alert} orders={orders} onClose={close} />
      <NoteDialog isOpen={dialog === 'note'} orders={orders} onClose={close} />
      <EndDialog kind="resolve" isOpen={dialog === 'resolve'} alert={alert} orders={orders} onClose={close} />
      <EndDialog kind="dismiss" isOpen={dialog === 'dismiss'} alert={alert} orders={orders} onClose={close} />
    </div>
  );
}
