import type { Place } from '@hushryd/contracts/geo';
import type { Trip } from '@hushryd/contracts/trip';
import { useVirtualizer } from '@tanstack/react-virtual';
import { Route } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { EmptyState, SkeletonLines } from '../feedback/empty-state.tsx';
import { formatView, type TripsView } from '../routing/view.ts';
import { navigate } from '../routing/view-store.ts';
import { formatAbsolute, formatDuration, formatMoment } from '../time/format-time.ts';
import { TripStateMark } from '../trip-state/trip-state-mark.tsx';
import styles from './trips.module.css';
import type { TripSearch } from './use-trip-search.ts';

const rowPixels = 40;
/** The next page is asked for when this many rows are left. */
const headStartRows = 30;

/** Only the rows in sight are in the page, however many trips there are. */
export function TripTable({ search, view }: { search: TripSearch; view: TripsView }) {
  const scroller = useRef<HTMLDivElement>(null);
  const { trips } = search;
  const virtual = useVirtualizer({
    count: trips.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPixels,
    getItemKey: (index) => trips[index]?.tripId ?? index,
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;
  const { hasMore, isLoadingMore, loadMore } = search;
  useEffect(() => {
    if (hasMore && !isLoadingMore && lastShown >= trips.length - headStartRows) loadMore();
  }, [hasMore, isLoadingMore, loadMore, lastShown, trips.length]);

  if (search.isLoading) return <SkeletonLines count={12} label="Trips are loading" />;
  if (trips.length === 0) return search.error ? null : <NoTrips view={view} />;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table whose rows are placed one by one cannot be a <table>
    <div className={styles.table} role="table" aria-label="Trips" aria-rowcount={hasMore ? -1 : trips.length + 1}>
      {/* biome-ignore lint/a11y/useSemanticElements: as above */}
      <div className={styles.columns} role="row" tabIndex={-1}>
        {['Trip', 'State', 'Driver', 'From', 'To', 'Started', 'Duration'].map((name) => (
          // biome-ignore lint/a11y/useSemanticElements: as above
          <span key={name} role="columnheader" tabIndex={-1}>
            {name}
          </span>
        ))}
      </div>
      <div ref={scroller} className={styles.rows} role="presentation">
        <div style={{ height: virtual.getTotalSize() }} role="presentation">
          {items.map(({ index, key, start }) => {
            const trip = trips[index];
            return trip && <TripRow key={key} trip={trip} rowIndex={index + 2} offsetPixels={start} />;
          })}
        </div>
        {search.isFull && (
          <p className={styles.full}>5,000 trips are listed. Search by number or driver to find older ones.</p>
        )}
      </div>
    </div>
  );
}

function TripRow({ trip, rowIndex, offsetPixels }: { trip: Trip; rowIndex: number; offsetPixels: number }) {
  const target = { room: 'map', selection: { kind: 'trip', id: trip.tripId } } as const;
  const startedMs = trip.startedAt === undefined ? undefined : Date.parse(trip.startedAt);
  const endedMs = trip.endedAt === undefined ? Date.now() : Date.parse(trip.endedAt);
  const cells = [
    trip.driverId,
    placeName(trip.origin),
    placeName(trip.destination),
    startedMs === undefined ? '–' : formatMoment(startedMs, Date.now()),
    startedMs === undefined ? '–' : formatDuration(endedMs - startedMs),
  ];
  return (
    // biome-ignore lint/a11y/useSemanticElements: rows are placed one by one
    <div
      role="row"
      tabIndex={-1}
      aria-rowindex={rowIndex}
      className={styles.row}
      style={{ transform: `translateY(${offsetPixels}px)` }}
      title={startedMs === undefined ? undefined : formatAbsolute(startedMs)}
    >
      {/* biome-ignore lint/a11y/useSemanticElements: as above */}
      <span role="cell">
        <a
          href={formatView(target)}
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey) return;
            event.preventDefault();
            navigate(target);
          }}
        >
          {trip.reference ?? trip.tripId}
        </a>
      </span>
      {/* biome-ignore lint/a11y/useSemanticElements: as above */}
      <span role="cell">
        <TripStateMark state={trip.state} />
      </span>
      {cells.map((text, index) => (
        // biome-ignore lint/a11y/useSemanticElements: as above
        <span role="cell" key={`cell-${String(index)}`}>
          {text}
        </span>
      ))}
    </div>
  );
}

function NoTrips({ view }: { view: TripsView }) {
  const isFiltered = view.query !== undefined || view.state !== undefined;
  return (
    <EmptyState title={isFiltered ? 'No trip fits' : 'There are no trips yet'} icon={<Route size={20} aria-hidden />}>
      {isFiltered ? (
        <p>The search looks at the beginning of trip ids, references and driver ids.</p>
      ) : (
        <p>
          A trip is made with <code>POST /v1/trips</code>; the fleet that <code>npm start</code> brings makes its own
          within the first minute.
        </p>
      )}
    </EmptyState>
  );
}

const placeName = ({ label, lat, lng }: Place): string => label ?? `${lat.toFixed(4)}, ${lng.toFixed(4)}`;
