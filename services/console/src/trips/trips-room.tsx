import { tripStates } from '@hushryd/contracts/trip';
import { Search } from 'lucide-react';
import { useEffect, useState } from 'react';
import { ProblemNote } from '../feedback/problem-note.tsx';
import type { TripsView } from '../routing/view.ts';
import { navigate } from '../routing/view-store.ts';
import { tripStateWords } from '../trip-state/trip-state-mark.tsx';
import { TripTable } from './trip-table.tsx';
import styles from './trips.module.css';
import { useTripSearch } from './use-trip-search.ts';

const typingPauseMs = 250;

/** Every trip there is, found by number, driver or state. Choosing one opens it on the map. */
export function TripsRoom({ view }: { view: TripsView }) {
  const [text, setText] = useTyped(view);
  const search = useTripSearch({ query: view.query, state: view.state });
  return (
    <div className={styles.room}>
      <header className={styles.header}>
        <h1>Trips</h1>
        <label className={styles.search}>
          <Search size={16} aria-hidden />
          <span className="spoken-only">Search trips</span>
          <input
            type="search"
            placeholder="Trip id, reference or driver"
            value={text}
            maxLength={64}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
        <fieldset className={styles.states}>
          <legend className="spoken-only">State</legend>
          {[undefined, ...tripStates].map((state) => (
            <label key={state ?? 'all'} data-chosen={state === view.state || undefined}>
              <input
                type="radio"
                name="state"
                className="spoken-only"
                checked={state === view.state}
                onChange={() => navigate(tripsView(view.query, state), { replace: true })}
              />
              {state === undefined ? 'All' : tripStateWords[state]}
            </label>
          ))}
        </fieldset>
      </header>
      {search.error !== null && search.error !== undefined && (
        <div className={styles.problem}>
          <ProblemNote
            error={search.error}
            what="The trips could not be read."
            stillWorks="The live map still works."
            onRetry={search.retry}
          />
        </div>
      )}
      <TripTable search={search} view={view} />
    </div>
  );
}

/** What is typed shows at once, and is searched for when the typing pauses. */
function useTyped(view: TripsView): [string, (text: string) => void] {
  const [text, setText] = useState(view.query ?? '');
  useEffect(() => {
    if (text.trim() === (view.query ?? '')) return undefined;
    const timer = setTimeout(() => navigate(tripsView(text.trim(), view.state), { replace: true }), typingPauseMs);
    return () => clearTimeout(timer);
  }, [text, view.query, view.state]);
  return [text, setText];
}

function tripsView(query: string | undefined, state: TripsView['state']): TripsView {
  return { room: 'trips', ...(query ? { query } : {}), ...(state ? { state } : {}) };
}
