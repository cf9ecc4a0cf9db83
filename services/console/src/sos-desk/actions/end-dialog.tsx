import { useState } from 'react';
import dialogStyles from '../../feedback/action-dialog.module.css';
import { ActionDialog } from '../../feedback/action-dialog.tsx';
import type { DeskAlert } from '../alerts/desk-alert.ts';
import styles from './actions.module.css';
import { problemOf } from './order-problem.ts';
import type { AlertOrders } from './use-alert-orders.ts';

const kinds = {
  resolve: {
    title: 'Resolve the alert?',
    confirm: 'Resolve',
    busy: 'Resolving…',
    about: 'The person was helped. The alert ends, the escalation stops, and the live trail is over.',
    offered: ['Spoke with the person: safe', 'Police are with the person', 'Medical help is with the person'],
  },
  dismiss: {
    title: 'Close it as a false alarm?',
    confirm: 'Close as false alarm',
    busy: 'Closing…',
    about: 'Nothing was wrong. The alert ends, the escalation stops, and the live trail is over.',
    offered: ['Spoke with the person: pressed by accident', 'A test', 'A child had the phone'],
  },
} as const;

/** The end of an alert, with the reason that goes into its timeline. */
export function EndDialog({
  kind,
  isOpen,
  alert,
  orders,
  onClose,
}: {
  kind: keyof typeof kinds;
  isOpen: boolean;
  alert: DeskAlert;
  orders: AlertOrders;
  onClose: () => void;
}) {
  const [reason, setReason] = useState('');
  const { title, confirm, busy, about, offered } = kinds[kind];
  return (
    <ActionDialog
      isOpen={isOpen}
      onOpenChange={(willBeOpen) => !willBeOpen && onClose()}
      title={title}
      confirm={{ words: confirm, wordsWhileBusy: busy, isDestructive: true }}
      onConfirm={() => orders.give({ kind, reason: reason.trim() }, onClose)}
      isBusy={orders.isBusy}
      problem={problemOf(orders, kind)}
    >
      <p>
        {about} It cannot be opened again: <strong>{alert.userId}</strong> would have to press SOS anew.
      </p>
      <label className={dialogStyles.field}>
        Reason
        <input
          required
          pattern=".*\S.*"
          title="What happened, in a few words"
          maxLength={500}
          autoComplete="off"
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </label>
      {/* biome-ignore lint/a11y/useSemanticElements: these are suggestions for the field, not fields of their own */}
      <div className={styles.offered} role="group" aria-label="Reasons often given">
        {offered.map((words) => (
          <button key={words} type="button" onClick={() => setReason(words)}>
            {words}
          </button>
        ))}
      </div>
    </ActionDialog>
  );
}
