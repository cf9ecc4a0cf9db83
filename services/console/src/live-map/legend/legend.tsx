import { List } from 'lucide-react';
import { useCallback } from 'react';
import { useBackend } from '../../data/backend.ts';
import type { ListFilter } from '../../routing/view.ts';
import { changeMapView } from '../../routing/view-store.ts';
import { useTicking } from '../../time/use-ticking.ts';
import { countKinds, symbolKinds, symbolWords } from '../vehicles/symbol.ts';
import { SymbolIcon } from '../vehicles/symbol-icon.tsx';
import type { VehicleStore } from '../vehicles/vehicle-store.ts';
import styles from './legend.module.css';

/** What the symbols mean and how many there are; each opens the list of those vehicles. */
export function Legend({ list }: { list: ListFilter | undefined }) {
  const { vehicles, clock } = useBackend();
  const read = useCallback(() => countKinds(positionsOf(vehicles), clock.nowMs()), [vehicles, clock]);
  const counts = useTicking(read, 1000);
  const total = vehicles.size;
  return (
    <fieldset className={styles.legend} aria-label="Vehicles on the map">
      <button
        type="button"
        aria-pressed={list === 'all'}
        aria-keyshortcuts="V"
        title="List of vehicles (V)"
        onClick={() => open('all', list)}
      >
        <List size={16} aria-hidden />
        <strong data-testid="vehicle-count">{total.toLocaleString()}</strong>
        {total === 1 ? 'vehicle' : 'vehicles'}
      </button>
      {symbolKinds.map((kind) => (
        <button
          key={kind}
          type="button"
          aria-pressed={list === kind}
          data-empty={counts[kind] === 0 || undefined}
          onClick={() => open(kind, list)}
        >
          <SymbolIcon kind={kind} size={14} />
          {symbolWords[kind]} <strong>{counts[kind].toLocaleString()}</strong>
        </button>
      ))}
      {vehicles.overflowCount > 0 && (
        <span className={styles.overflow}>{vehicles.overflowCount.toLocaleString()} more are not drawn</span>
      )}
    </fieldset>
  );
}

const open = (filter: ListFilter, current: ListFilter | undefined) =>
  changeMapView({ list: filter === current ? undefined : filter });

function* positionsOf(vehicles: VehicleStore) {
  for (const { position } of vehicles.values()) yield position;
}
