import type { TripState } from '@hushryd/contracts/trip';
import styles from './trip-state-mark.module.css';

export const tripStateWords: Record<TripState, string> = { planned: 'Planned', active: 'Active', ended: 'Ended' };

/** A trip's state as a shape and a word. */
export function TripStateMark({ state }: { state: TripState }) {
  return (
    <span className={styles.mark} data-state={state}>
      <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
        {state === 'planned' && (
          <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" strokeWidth="1.5" strokeDasharray="2 2" />
        )}
        {state === 'active' && <path d="M3 1.5 10.5 6 3 10.5Z" fill="currentColor" />}
        {state === 'ended' && (
          <rect x="2.5" y="2.5" width="7" height="7" rx="1" fill="none" stroke="currentColor" strokeWidth="1.5" />
        )}
      </svg>
      {tripStateWords[state]}
    </span>
  );
}
