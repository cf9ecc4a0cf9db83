import { useState } from 'react';
import { createRandomId } from '../../data/random-id.ts';
import styles from '../../feedback/action-dialog.module.css';
import { ActionDialog } from '../../feedback/action-dialog.tsx';
import { problemOf } from './order-problem.ts';
import type { AlertOrders } from './use-alert-orders.ts';

const emptyDraft = () => ({ noteId: createRandomId(), text: '' });

/** A draft outlives the dialog, and is sent again under the same id when nobody knows whether it arrived. */
export function NoteDialog({ isOpen, orders, onClose }: { isOpen: boolean; orders: AlertOrders; onClose: () => void }) {
  const [draft, setDraft] = useState(emptyDraft);
  return (
    <ActionDialog
      isOpen={isOpen}
      onOpenChange={(willBeOpen) => !willBeOpen && onClose()}
      title="Write a note"
      confirm={{ words: 'Keep the note', wordsWhileBusy: 'Keeping…' }}
      onConfirm={() =>
        orders.give({ kind: 'note', noteId: draft.noteId, text: draft.text.trim() }, () => {
          setDraft(emptyDraft());
          onClose();
        })
      }
      isBusy={orders.isBusy}
      problem={problemOf(orders, 'note')}
    >
      <p>It stands in the alert’s timeline with your name and cannot be taken back.</p>
      <label className={styles.field}>
        Note
        <textarea
          required
          maxLength={1000}
          value={draft.text}
          onChange={(event) => setDraft({ ...draft, text: event.target.value })}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit();
          }}
        />
        <small>Ctrl Enter keeps it.</small>
      </label>
    </ActionDialog>
  );
}
