import { useVirtualizer } from '@tanstack/react-virtual';
import { Search, X } from 'lucide-react';
import { useCallback, useRef, useState } from 'react';
import { useBackend } from '../../data/backend.ts';
import { EmptyState } from '../../feedback/empty-state.tsx';
import { IconButton } from '../../feedback/icon-button.tsx';
import type { ListFilter, Selection } from '../../routing/view.ts';
import { changeMapView } from '../../routing/view-store.ts';
import { formatAge } from '../../time/format-time.ts';
import { useTicking } from '../../time/use-ticking.ts';
import { ageClassOf } from '../vehicles/fix-age.ts';
import { formatSpeed } from '../vehicles/format-motion.ts';
import { symbolOf, symbolWords } from '../vehicles/symbol.ts';
import { SymbolIcon } from '../vehicles/symbol-icon.tsx';
import { listVehicles } from './list-vehicles.ts';
import styles from './vehicle-list.module.css';

const rowPixels = 36;

/** The fleet as text: the way to every vehicle without a mouse, and without a map. */
export function VehicleList({
  filter,
  selection,
  onSelect,
}: {
  filter: ListFilter;
  selection: Selection | undefined;
  onSelect: (selection: Selection) => void;
}) {
  const { vehicles, clusters, scope, clock } = useBackend();
  const [text, setText] = useState('');
  const scroller = useRef<HTMLDivElement>(null);
  const read = useCallback(
    () => listVehicles({ vehicles: vehicles.values(), filter, text, serverNowMs: clock.nowMs() }),
    [vehicles, clock, filter, text],
  );
  const rows = useTicking(read, 1000);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPixels,
    getItemKey: (index) => rows[index]?.driverId ?? index,
    overscan: 8,
  });
  const title = filter === 'all' ? 'Vehicles' : `Vehicles: ${symbolWords[filter].toLowerCase()}`;

  return (
    <aside className={styles.list} aria-label="Vehicle list">
      <header>
        <h2>
          {title} <span>{(clusters.vehicleCount || rows.length).toLocaleString()}</span>
          {!scope.isWhole && <span>in this area</span>}
        </h2>
        <IconButton label="Close the vehicle list" keyName="V" onClick={() => changeMapView({ list: undefined })}>
          <X size={16} aria-hidden />
        </IconButton>
      </header>
      <label className={styles.search}>
        <Search size={14} aria-hidden />
        <span className="spoken-only">Find in this list</span>
        <input
          type="search"
          placeholder="Driver or trip"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: keys come up from the buttons inside */}
      <div ref={scroller} className={styles.rows} onKeyDown={moveFocus} role="presentation">
        {clusters.size > 0 ? (
          <EmptyState title="Too many to list">
            {clusters.vehicleCount.toLocaleString()} vehicles are in this area, shown as clusters. Zoom in, or look for
            a driver or trip at the top of the map.
          </EmptyState>
        ) : (
          rows.length === 0 && <EmptyState title="Nobody here">{emptyReason(text, filter)}</EmptyState>
        )}
        <ul style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, key, start }) => {
            const position = rows[index];
            if (position === undefined) return null;
            const ageMs = clock.nowMs() - position.recordedAtMs;
            const { kind } = symbolOf(position, clock.nowMs());
            return (
              <li key={key} style={{ transform: `translateY(${start}px)` }}>
                <button
                  type="button"
                  aria-current={selection?.id === position.driverId ? 'true' : undefined}
                  onClick={() => onSelect({ kind: 'driver', id: position.driverId })}
                >
                  <SymbolIcon kind={kind} headingDegrees={position.headingDegrees ?? 0} />
                  <span className={styles.name}>
                    {position.driverId}
                    <span className="spoken-only">{symbolWords[kind]}</span>
                  </span>
                  <span className={styles.speed}>{formatSpeed(position.speedMps)}</span>
                  <span className={styles.age} data-age={ageClassOf(ageMs)}>
                    {formatAge(ageMs)}
                  </span>
                </button>
              </li>
            );
          })}
        </ul>
      </div>
    </aside>
  );
}

function emptyReason(text: string, filter: ListFilter): string {
  if (text !== '') return `No vehicle here has “${text}” in its driver or trip.`;
  if (filter === 'silent') return 'Every vehicle on the map reported within the last minute.';
  return 'No vehicle is in this state right now.';
}

/** Arrow keys go from row to row. */
function moveFocus(event: React.KeyboardEvent<HTMLDivElement>): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const row = document.activeElement?.closest('li');
  const step = event.key === 'ArrowDown' ? 1 : -1;
  const buttons = [...event.currentTarget.querySelectorAll('button')].sort(
    (one, other) => one.getBoundingClientRect().top - other.getBoundingClientRect().top,
  );
  const next = buttons[buttons.findIndex((button) => button.closest('li') === row) + step];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}
