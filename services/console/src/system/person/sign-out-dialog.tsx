import type { RevocationReason } from '@hushryd/contracts/http/sessions';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { LogOut } from 'lucide-react';
import { useState } from 'react';
import { useBackend } from '../../data/backend.ts';
import styles from '../../feedback/action-dialog.module.css';
import { ActionDialog } from '../../feedback/action-dialog.tsx';
import { TextButton } from '../../feedback/text-button.tsx';

const reasons: readonly { reason: RevocationReason; name: string; afterwards: string }[] = [
  {
    reason: 'signed_out',
    name: 'Signed out',
    afterwards: 'A phone was lost, or somebody else has the token. They sign in again.',
  },
  { reason: 'banned', name: 'Banned', afterwards: 'They stay out, as long as they are given no new token.' },
  {
    reason: 'role_changed',
    name: 'Role changed',
    afterwards: 'Their apps fetch a new token and come back by themselves.',
  },
];

/** Refuses every token that a person has until now. */
export function SignOutDialog({ userId, onDone }: { userId: string; onDone: (words: string) => void }) {
  const { http } = useBackend();
  const queries = useQueryClient();
  const [isOpen, setIsOpen] = useState(false);
  const [reason, setReason] = useState<RevocationReason>('signed_out');
  const signOut = useMutation({
    mutationFn: () => http.signOutUser(userId, { reason }),
    onSuccess() {
      onDone(`Every token of ${userId} is refused from now on.`);
      setIsOpen(false);
      return queries.invalidateQueries({ queryKey: ['connections', userId] });
    },
  });

  return (
    <>
      <TextButton onClick={() => setIsOpen(true)}>
        <LogOut size={14} aria-hidden />
        Sign out everywhere
      </TextButton>
      <ActionDialog
        isOpen={isOpen}
        onOpenChange={(willBeOpen) => {
          signOut.reset();
          setIsOpen(willBeOpen);
        }}
        title={`Sign ${userId} out everywhere?`}
        confirm={{ words: 'Sign out everywhere', wordsWhileBusy: 'Signing out…', isDestructive: true }}
        onConfirm={() => signOut.mutate()}
        isBusy={signOut.isPending}
        problem={
          signOut.error && {
            error: signOut.error,
            what: 'It is not known whether they are signed out; to ask again does no harm.',
          }
        }
      >
        <p>Every token they have is refused from now on, and their connections on all nodes end within seconds.</p>
        <fieldset>
          <legend>Reason</legend>
          {reasons.map(({ reason: offered, name, afterwards }) => (
            <label key={offered} className={styles.choice}>
              <input
                type="radio"
                name="reason"
                aria-label={name}
                aria-describedby={`reason-${offered}`}
                checked={offered === reason}
                onChange={() => setReason(offered)}
              />
              <span>
                <strong>{name}</strong>
                <small id={`reason-${offered}`}>{afterwards}</small>
              </span>
            </label>
          ))}
        </fieldset>
      </ActionDialog>
    </>
  );
}
