import { driverStates } from '@hushryd/contracts/fix';
import { List } from 'lucide-react';
import { useCallback } from 'react';
import { type Backend, useBackend } from '../../data/backend.ts';
import type { ListFilter } from '../../routing/view.ts';
import { changeMapView } from '../../routing/view-store.ts';
import { useTicking } from '../../time/use-ticking.ts';
import { countKinds, symbolKinds, symbolWords } from '../vehicles/symbol.ts';
import { SymbolIcon } from '../vehicles/symbol-icon.tsx';
import type { VehicleStore } from '../vehicles/vehicle-store.ts';
import styles from './legend.module.css';

/** What the symbols mean and how many there are; each opens the list of those vehicles. */
export function Legend({ list }: { list: ListFilter | undefined }) {
  const backend = useBackend();
  const read = useCallback(() => countFleet(backend), [backend]);
  const { counts, total, isWhole } = useTicking(read, 1000);
  const { vehicles } = backend;
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
        {wordFor(total, isWhole)}
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

/** Of vehicles in clusters only the state is known, not how old their fixes are. */
function countFleet({ vehicles, clusters, clock, scope }: Backend) {
  const counts = countKinds(positionsOf(vehicles), clock.nowMs());
  for (const state of driverStates) counts[state] += clusters.countOf(state);
  return { counts, total: vehicles.size + clusters.vehicleCount, isWhole: scope.isWhole };
}

function wordFor(total: number, isWhole: boolean): string {
  if (!isWhole) return 'in this area';
  return total === 1 ? 'vehicle' : 'vehicles';
}

function* positionsOf(vehicles: VehicleStore) {
  for (const { position } of vehicles.values()) yield position;
}
