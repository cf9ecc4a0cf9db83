import { type DriverState, driverStates } from '@hushryd/contracts/fix';
import { Search, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useKey } from '../../feedback/use-key.ts';
import type { MapView } from '../../routing/view.ts';
import { changeMapView } from '../../routing/view-store.ts';
import { symbolWords } from '../vehicles/symbol.ts';
import { SymbolIcon } from '../vehicles/symbol-icon.tsx';
import styles from './filter-bar.module.css';

const typingPauseMs = 250;

/** Whom the map shows: a chip for each state, and a text. The server leaves out the rest. */
export function FilterBar({ view }: { view: MapView }) {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useTyped(view.text);
  const isNarrowed = view.states !== undefined || view.text !== undefined;
  useKey('/', () => input.current?.focus());
  return (
    <search className={styles.bar} aria-label="Filter the map">
      <label className={styles.text}>
        <Search size={14} aria-hidden />
        <span className="spoken-only">Driver or trip on the map</span>
        <input
          ref={input}
          type="search"
          placeholder="Driver or trip"
          aria-keyshortcuts="/"
          title="Show only vehicles with this in their driver or trip (/)"
          maxLength={64}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      {driverStates.toReversed().map((state) => {
        const isChosen = view.states?.includes(state) ?? false;
        return (
          <button key={state} type="button" aria-pressed={isChosen} onClick={() => toggle(view, state)}>
            <SymbolIcon kind={state} size={14} />
            {symbolWords[state]}
          </button>
        );
      })}
      {isNarrowed && (
        <button
          type="button"
          aria-label="Show all vehicles again"
          title="Show all vehicles again"
          onClick={() => {
            setText('');
            changeMapView({ states: undefined, text: undefined });
          }}
        >
          <X size={14} aria-hidden />
        </button>
      )}
    </search>
  );
}

function toggle({ states = [] }: MapView, state: DriverState): void {
  const next = driverStates.filter((one) => states.includes(one) !== (one === state));
  // All of them is no filter.
  const isFilter = next.length > 0 && next.length < driverStates.length;
  changeMapView({ states: isFilter ? next : undefined });
}

/** What is typed shows at once, and is asked for when the typing pauses. */
function useTyped(chosen: string | undefined): [string, (text: string) => void] {
  const [text, setText] = useState(chosen ?? '');
  const newest = useRef(text);
  newest.current = text;
  useEffect(() => {
    if (newest.current.trim() !== (chosen ?? '')) setText(chosen ?? '');
  }, [chosen]);
  useEffect(() => {
    const timer = setTimeout(() => changeMapView({ text: text.trim() || undefined }, { replace: true }), typingPauseMs);
    return () => clearTimeout(timer);
  }, [text]);
  return [text, setText];
}
