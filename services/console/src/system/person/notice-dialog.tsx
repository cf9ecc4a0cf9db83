import { useMutation } from '@tanstack/react-query';
import { MessageSquare } from 'lucide-react';
import { useState } from 'react';
import { useBackend } from '../../data/backend.ts';
import { createRandomId } from '../../data/random-id.ts';
import styles from '../../feedback/action-dialog.module.css';
import { ActionDialog } from '../../feedback/action-dialog.tsx';
import { TextButton } from '../../feedback/text-button.tsx';

const emptyDraft = () => ({ noticeId: createRandomId(), title: '', text: '' });

/** Writes to one person. A draft outlives the dialog, and is sent again under the same id when nobody knows whether it arrived. */
export function NoticeDialog({ userId, onDone }: { userId: string; onDone: (words: string) => void }) {
  const { http } = useBackend();
  const [isOpen, setIsOpen] = useState(false);
  const [draft, setDraft] = useState(emptyDraft);
  const send = useMutation({
    mutationFn: () => {
      const text = draft.text.trim();
      return http.postNotice(userId, {
        noticeId: draft.noticeId,
        title: draft.title.trim(),
        ...(text !== '' && { text }),
      });
    },
    onSuccess() {
      onDone(`The notice is on its way to ${userId}.`);
      setDraft(emptyDraft());
      setIsOpen(false);
    },
  });

  return (
    <>
      <TextButton onClick={() => setIsOpen(true)}>
        <MessageSquare size={14} aria-hidden />
        Send a notice
      </TextButton>
      <ActionDialog
        isOpen={isOpen}
        onOpenChange={setIsOpen}
        title={`Send ${userId} a notice`}
        confirm={{ words: 'Send notice', wordsWhileBusy: 'Sending…' }}
        onConfirm={() => send.mutate()}
        isBusy={send.isPending}
        problem={
          send.error && {
            error: send.error,
            what: 'It is not known whether the notice was sent; it can be sent again.',
          }
        }
      >
        <p>It goes to all of their devices; one that is off line gets it when it comes back within an hour.</p>
        <label className={styles.field}>
          Title
          <input
            required
            pattern=".*\S.*"
            title="A few words"
            maxLength={120}
            value={draft.title}
            onChange={(event) => setDraft({ ...draft, title: event.target.value })}
          />
        </label>
        <label className={styles.field}>
          Text (may be empty)
          <textarea
            maxLength={1000}
            value={draft.text}
            onChange={(event) => setDraft({ ...draft, text: event.target.value })}
          />
        </label>
      </ActionDialog>
    </>
  );
}
