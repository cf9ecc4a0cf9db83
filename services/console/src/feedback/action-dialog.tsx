import * as Dialog from '@radix-ui/react-dialog';
import { type FormEvent, type ReactNode, useRef } from 'react';
import styles from './action-dialog.module.css';
import { ProblemNote } from './problem-note.tsx';
import { TextButton } from './text-button.tsx';

/**
 * A question before something is done. It stays open while that is under way and when it failed, so that nothing typed is
 * lost; a click beside it does not close it.
 */
export function ActionDialog(input: {
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
  title: string;
  /** What will happen; fields, where something is to be said. */
  children: ReactNode;
  confirm: { words: string; wordsWhileBusy: string; isDestructive?: boolean };
  onConfirm: () => void;
  isBusy: boolean;
  problem: { error: unknown; what: string } | null;
  /** Id of what gets the focus once it was confirmed, where the button that opened it may go away with what was done. */
  focusWhenDone?: string;
}) {
  const { isOpen, title, children, confirm, isBusy, problem } = input;
  const opener = useRef<Element>(null);
  const isConfirmed = useRef(false);

  function change(willBeOpen: boolean): void {
    if (isBusy) return;
    isConfirmed.current = false;
    input.onOpenChange(willBeOpen);
  }

  function submit(event: FormEvent): void {
    event.preventDefault();
    if (isBusy) return;
    isConfirmed.current = true;
    input.onConfirm();
  }

  // Radix gives the focus back to a trigger of its own only; here other components open it.
  function giveFocusBack(event: Event): void {
    event.preventDefault();
    const id = isConfirmed.current ? input.focusWhenDone : undefined;
    const target = id === undefined ? opener.current : document.getElementById(id);
    isConfirmed.current = false;
    if (target instanceof HTMLElement) target.focus();
  }

  return (
    <Dialog.Root open={isOpen} onOpenChange={change}>
      <Dialog.Portal>
        <Dialog.Overlay className={styles.scrim} />
        <Dialog.Content
          className={styles.dialog}
          role={confirm.isDestructive ? 'alertdialog' : 'dialog'}
          onPointerDownOutside={(event) => event.preventDefault()}
          onOpenAutoFocus={() => {
            opener.current = document.activeElement;
          }}
          onCloseAutoFocus={giveFocusBack}
        >
          <Dialog.Title>{title}</Dialog.Title>
          <form onSubmit={submit}>
            <Dialog.Description asChild>
              <div className={styles.body}>{children}</div>
            </Dialog.Description>
            {problem && <ProblemNote error={problem.error} what={problem.what} />}
            <div className={styles.buttons}>
              <TextButton onClick={() => change(false)}>Cancel</TextButton>
              <TextButton type="submit" aria-disabled={isBusy} data-destructive={confirm.isDestructive || undefined}>
                {isBusy ? confirm.wordsWhileBusy : confirm.words}
              </TextButton>
            </div>
          </form>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
