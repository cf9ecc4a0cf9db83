import { useCallback, useRef, useState } from 'react';
import { ProblemNote } from '../feedback/problem-note.tsx';
import { useKey } from '../feedback/use-key.ts';
import type { MapView, Selection } from '../routing/view.ts';
import { changeMapView } from '../routing/view-store.ts';
import { FilterBar } from './filters/filter-bar.tsx';
import { HoverCard } from './hover/hover-card.tsx';
import { FleetNotice } from './legend/fleet-notice.tsx';
import { Legend } from './legend/legend.tsx';
import { MapControls } from './legend/map-controls.tsx';
import { VehicleList } from './list/vehicle-list.tsx';
import styles from './live-map.module.css';
import type { Hover } from './map/pointer.ts';
import { useFitFleet } from './map/use-fit-fleet.ts';
import { useLiveMap } from './map/use-live-map.ts';
import { DetailsPanel } from './panel/details-panel.tsx';
import { ReplayDock } from './replay/replay-dock.tsx';
import { useReplay } from './replay/use-replay.ts';
import { useSelected } from './selection/use-selected.ts';
import { useTrack } from './track/use-track.ts';

/** The room that operators look at all day: the fleet, and beside it whatever is selected. */
export function LiveMapRoom({ view }: { view: MapView }) {
  const container = useRef<HTMLDivElement>(null);
  const [hover, setHover] = useState<Hover>();
  const selected = useSelected(view.selection);
  const track = useTrack(selected.tripId, selected.trip?.state === 'active');
  const player = useReplay({ tripId: selected.tripId, shape: track.shape, atMs: view.replayAtMs });
  const ghost = useCallback(() => player?.ghost(), [player]);
  const { map, problem } = useLiveMap({
    container,
    view,
    driverId: selected.driverId,
    shape: track.shape,
    plannedRoute: selected.trip?.plannedRoute,
    isReplaying: player !== undefined,
    ghost,
    onHover: setHover,
  });

  const fitFleet = useFitFleet(map);
  const fitTrack = useCallback(() => {
    const { trip, position } = selected;
    const fixes = track.shape?.points.map(({ fix }) => fix) ?? [];
    const ends = trip === undefined ? [] : [trip.origin, trip.destination];
    changeMapView({ isFollowing: undefined }, { replace: true });
    map?.fitTo([...fixes, ...ends, ...(position === undefined ? [] : [position])]);
  }, [map, track.shape, selected]);
  const toggleFollowing = () => changeMapView({ isFollowing: view.isFollowing ? undefined : true }, { replace: true });
  const toggleList = () => changeMapView({ list: view.list ? undefined : 'all' });
  const canReplay = (track.shape?.points.length ?? 0) > 1;
  function toggleReplay(): void {
    const startMs = track.shape?.points[0]?.atMs;
    if (view.replayAtMs !== undefined) changeMapView({ replayAtMs: undefined });
    // The trip is selected, not its driver: a shared replay must not become that of the driver's next trip.
    else if (selected.tripId) changeMapView({ selection: { kind: 'trip', id: selected.tripId }, replayAtMs: startMs });
  }

  useKey('Escape', () => closeTopmost(view));
  useKey('f', toggleFollowing, view.selection !== undefined);
  useKey('r', toggleReplay, canReplay || view.replayAtMs !== undefined);
  useKey('v', toggleList);
  useKey('0', fitFleet);

  return (
    <div
      className={styles.room}
      data-panel={view.selection ? 'open' : 'closed'}
      data-list={view.list ? 'open' : 'closed'}
      data-dock={player ? 'open' : 'closed'}
    >
      <h1 className="spoken-only">Live map</h1>
      <section className={styles.map} aria-label="Live map">
        <div ref={container} className={styles.canvas} />
      </section>
      <FleetNotice />
      {problem !== undefined && (
        <div className={styles.problem}>
          <ProblemNote
            error={problem}
            what="The map could not be drawn."
            stillWorks="The vehicle list works without it (V)."
          />
        </div>
      )}
      <FilterBar view={view} />
      <Legend list={view.list} />
      <MapControls map={map} onFitFleet={fitFleet} />
      {hover !== undefined && <HoverCard hover={hover} />}
      {view.list !== undefined && <VehicleList filter={view.list} selection={view.selection} onSelect={select} />}
      {view.selection !== undefined && (
        <DetailsPanel
          selected={selected}
          track={track}
          isFollowing={view.isFollowing === true}
          isReplaying={view.replayAtMs !== undefined}
          isTrackPlain={view.isTrackPlain === true}
          onFollow={toggleFollowing}
          onReplay={toggleReplay}
          onFit={fitTrack}
        />
      )}
      {player !== undefined && track.shape !== undefined && (
        <ReplayDock player={player} shape={track.shape} onClose={() => changeMapView({ replayAtMs: undefined })} />
      )}
    </div>
  );
}

const select = (selection: Selection | undefined) =>
  changeMapView({ selection, replayAtMs: undefined, ...(selection ? {} : { isFollowing: undefined }) });

/** Esc closes one thing at a time, the newest first. */
function closeTopmost(view: MapView): void {
  if (view.replayAtMs !== undefined) changeMapView({ replayAtMs: undefined });
  else if (view.selection !== undefined) changeMapView({ selection: undefined, isFollowing: undefined });
  else if (view.list !== undefined) changeMapView({ list: undefined });
}
