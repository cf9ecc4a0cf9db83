import { useEffect, useRef } from 'react';

/**
 * Do something when a key is pressed anywhere, except while typing, in a dialog, or together with another key. `isActive: false` leaves
 * the key to others.
 */
export function useKey(key: string, act: (event: KeyboardEvent) => void, isActive = true): void {
  const newest = useRef(act);
  useEffect(() => {
    newest.current = act;
  });
  useEffect(() => {
    if (!isActive) return undefined;
    function press(event: KeyboardEvent): void {
      if (event.key.toLowerCase() !== key.toLowerCase() || event.defaultPrevented || isForSomethingElse(event)) return;
      event.preventDefault();
      newest.current(event);
    }
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [key, isActive]);
}

function isForSomethingElse(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  const { target } = event;
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('[role=dialog], [role=alertdialog]')) return true;
  if (event.key === 'Escape') return false;
  if (target.closest('input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable=true]')) return true;
  // Space and Enter press what has the focus. A radio button needs neither: arrows choose.
  return (event.key === ' ' || event.key === 'Enter') && target.closest('button, a, [type=checkbox]') !== null;
}
