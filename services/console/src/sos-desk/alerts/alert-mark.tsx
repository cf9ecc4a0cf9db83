import styles from './alert-mark.module.css';
import { type DeskAlert, isOpen, isPressedSinceClaim, urgencyOf } from './desk-alert.ts';
import { endedWords } from './words.ts';

/** Where an alert stands, as a shape and a word; colour only repeats it. */
export function AlertMark({ alert }: { alert: DeskAlert }) {
  const kind = isOpen(alert) ? urgencyOf(alert) : 'ended';
  return (
    <span className={styles.mark} data-kind={kind}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        {kind === 'unclaimed' && <path d="M8 1 15.5 14.5H.5Z" fill="currentColor" />}
        {kind === 'claimed' && (
          <path d="M8 2.2 14.2 13.6H1.8Z" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinejoin="round" />
        )}
        {kind === 'acknowledged' && (
          <>
            <circle cx="8" cy="8" r="6.1" fill="none" stroke="currentColor" strokeWidth="1.8" />
            <path d="M5.2 8.2 7.2 10.2 10.9 6" fill="none" stroke="currentColor" strokeWidth="1.8" />
          </>
        )}
        {kind === 'ended' && (
          <rect x="2.5" y="2.5" width="11" height="11" rx="1.5" fill="none" stroke="currentColor" strokeWidth="1.6" />
        )}
      </svg>
      {wordOf(alert)}
    </span>
  );
}

function wordOf(alert: DeskAlert): string {
  if (!isOpen(alert)) return endedWords[alert.state] ?? alert.state;
  switch (urgencyOf(alert)) {
    case 'unclaimed':
      return isPressedSinceClaim(alert) ? 'Pressed again' : 'Unclaimed';
    case 'claimed':
      return 'Claimed';
    case 'acknowledged':
      return 'Acknowledged';
  }
}
