import * as Dialog from '@radix-ui/react-dialog';
import { Search } from 'lucide-react';
import { useEffect, useId, useState } from 'react';
import { EmptyState } from '../feedback/empty-state.tsx';
import { ProblemNote } from '../feedback/problem-note.tsx';
import { symbolWords } from '../live-map/vehicles/symbol.ts';
import { SymbolIcon } from '../live-map/vehicles/symbol-icon.tsx';
import { navigate } from '../routing/view-store.ts';
import { TripStateMark } from '../trip-state/trip-state-mark.tsx';
import styles from './search-dialog.module.css';
import { type SearchResult, useSearch } from './use-search.ts';

/** Ctrl-K: one field for vehicles and trips; arrows choose, Enter goes there. */
export function SearchDialog({ isOpen, onOpenChange }: { isOpen: boolean; onOpenChange: (isOpen: boolean) => void }) {
  return (
    <Dialog.Root open={isOpen} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className={styles.scrim} />
        <Dialog.Content className={styles.dialog} aria-describedby={undefined}>
          <Dialog.Title className="spoken-only">Search</Dialog.Title>
          <SearchBox onDone={() => onOpenChange(false)} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function SearchBox({ onDone }: { onDone: () => void }) {
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState(0);
  const listId = useId();
  const { results, error, isLoading } = useSearch(text);
  useEffect(() => setChosen(0), [text]);
  const index = Math.min(chosen, Math.max(0, results.length - 1));

  function go(result: SearchResult | undefined): void {
    if (result === undefined) return;
    navigate({
      room: 'map',
      selection: { kind: result.kind, id: result.id },
      ...(result.kind === 'driver' ? { isFollowing: true } : {}),
    });
    onDone();
  }

  function press(event: React.KeyboardEvent): void {
    if (event.key === 'Enter') go(results[index]);
    else if (event.key === 'ArrowDown') setChosen(Math.min(results.length - 1, index + 1));
    else if (event.key === 'ArrowUp') setChosen(Math.max(0, index - 1));
    else return;
    event.preventDefault();
  }

  return (
    <>
      <label className={styles.field}>
        <Search size={18} aria-hidden />
        <input
          role="combobox"
          aria-label="Search a trip or a driver"
          aria-expanded={results.length > 0}
          aria-controls={listId}
          aria-activedescendant={results[index] ? `${listId}-${index}` : undefined}
          aria-autocomplete="list"
          placeholder="Trip, reference or driver"
          // biome-ignore lint/a11y/noAutofocus: the dialog was opened to type into it
          autoFocus
          value={text}
          maxLength={64}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={press}
        />
      </label>
      <div id={listId} role="listbox" aria-label="Results" className={styles.results}>
        {results.map((result, position) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys are handled by the field, which keeps the focus
          <div
            key={`${result.kind}-${result.id}`}
            id={`${listId}-${position}`}
            role="option"
            tabIndex={-1}
            aria-selected={position === index}
            onPointerMove={() => setChosen(position)}
            onClick={() => go(result)}
          >
            <ResultLine result={result} />
          </div>
        ))}
      </div>
      <SearchNote text={text} error={error} isEmpty={results.length === 0} isLoading={isLoading} />
    </>
  );
}

function ResultLine({ result }: { result: SearchResult }) {
  if (result.kind === 'driver') {
    return (
      <>
        <SymbolIcon kind={result.symbol} />
        <strong>{result.id}</strong>
        <span>{symbolWords[result.symbol]}</span>
        <small>Driver, live</small>
      </>
    );
  }
  return (
    <>
      <TripStateMark state={result.trip.state} />
      <strong>{result.trip.reference ?? result.id}</strong>
      <span>{result.trip.driverId}</span>
      <small>Trip</small>
    </>
  );
}

function SearchNote(input: { text: string; error: unknown; isEmpty: boolean; isLoading: boolean }) {
  if (input.error) {
    return (
      <div className={styles.note}>
        <ProblemNote
          error={input.error}
          what="Trips could not be searched."
          stillWorks="Live vehicles are still found."
        />
      </div>
    );
  }
  if (input.text.trim() === '') {
    return (
      <p className={styles.hint}>
        Type the beginning of a trip’s id or reference, or part of a driver’s id. Arrows choose, Enter goes there.
      </p>
    );
  }
  if (!input.isEmpty || input.isLoading) return null;
  return <EmptyState title="Nothing found">No live vehicle and no trip fits “{input.text.trim()}”.</EmptyState>;
}
