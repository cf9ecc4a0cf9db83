import type { LatLng } from '@hushryd/contracts/geo';
import { type RefObject, useEffect, useRef, useState } from 'react';
import { type Backend, isMotionReduced, useBackend } from '../../data/backend.ts';
import type { MapView } from '../../routing/view.ts';
import { changeMapView, currentView } from '../../routing/view-store.ts';
import { useTheme } from '../../theme/theme-store.ts';
import type { TrackShape } from '../track/track-shape.ts';
import { createLiveMap, type LiveMap } from './create-live-map.ts';
import type { ReplayGhost } from './fleet-scene.ts';
import type { Hover } from './pointer.ts';

interface LiveMapHookInput {
  container: RefObject<HTMLDivElement | null>;
  view: MapView;
  driverId: string | undefined;
  shape: TrackShape | undefined;
  plannedRoute: readonly LatLng[] | undefined;
  isReplaying: boolean;
  ghost: () => ReplayGhost | undefined;
  onHover: (hover: Hover | undefined) => void;
}

/** Widths of what lies over the map, as in `tokens.css`. */
const panelPixels = 348;
const listPixels = 284;
const dockPixels = 212;
const legendPixels = 48;
const filterPixels = 48;

/** Makes the map once and hands it what React knows. */
export function useLiveMap(input: LiveMapHookInput): { map: LiveMap | undefined; problem: unknown } {
  const { view } = input;
  const backend = useBackend();
  const theme = useTheme();
  const [map, setMap] = useState<LiveMap>();
  const [problem, setProblem] = useState<unknown>();
  const newest = useRef({ input, theme });
  newest.current = { input, theme };

  useEffect(() => {
    const { container } = newest.current.input;
    if (container.current === null) return undefined;
    let created: LiveMap | undefined;
    try {
      created = createLiveMap({
        container: container.current,
        theme: newest.current.theme,
        streetsUrl: backend.config.streetsUrl,
        mapStyleUrl: backend.config.mapStyleUrl,
        camera: newest.current.input.view.camera,
        store: backend.vehicles,
        clusters: backend.clusters,
        serverNowMs: backend.clock.nowMs,
        ghost: () => newest.current.input.ghost(),
        getRoads: (box, signal) => backend.http.getRoads(box, { limit: 5000, signal }),
        isMotionReduced,
        onReady: () => setMap(created),
        onPick: (driverId) => pick(driverId),
        onHover: (hover) => newest.current.input.onHover(hover),
        onCamera: (camera) => changeMapView({ camera }, { replace: true }),
        onWindow: backend.scope.look,
        onDrag: () => changeMapView({ isFollowing: undefined }, { replace: true }),
        // Streets, coast and roads are decoration: without one of them the vehicles are still shown.
        onProblem: () => undefined,
      });
    } catch (error) {
      // Without WebGL there is no map; the vehicle list still works.
      setProblem(error);
    }
    return () => {
      setMap(undefined);
      created?.close();
    };
  }, [backend]);

  useChosenFleet(backend, view);
  useEffect(() => map?.setTheme(theme), [map, theme]);
  useEffect(() => map?.setSelected(input.driverId), [map, input.driverId]);
  useEffect(() => map?.setFollowing(view.isFollowing === true), [map, view.isFollowing]);
  useEffect(() => map?.setPlannedRoute(input.plannedRoute), [map, input.plannedRoute]);
  useEffect(
    () => map?.setTrack(input.shape, { isPlain: view.isTrackPlain === true }),
    [map, input.shape, view.isTrackPlain],
  );
  const isPanelOpen = view.selection !== undefined;
  const isListOpen = view.list !== undefined;
  useEffect(() => {
    map?.setInsets({
      top: filterPixels,
      right: isPanelOpen ? panelPixels : 0,
      bottom: input.isReplaying ? dockPixels : legendPixels,
      left: isListOpen ? listPixels : 0,
    });
  }, [map, isPanelOpen, isListOpen, input.isReplaying]);
  useFirstFit(map, backend);
  useFitToSelectedTrip(map, input);
  return { map, problem };
}

function pick(driverId: string | undefined): void {
  const current = currentView();
  if (current.room !== 'map') return;
  if (driverId !== undefined) changeMapView({ selection: { kind: 'driver', id: driverId }, replayAtMs: undefined });
  else if (current.replayAtMs === undefined) changeMapView({ selection: undefined, isFollowing: undefined });
}

/** What the chips say is what the server is asked for. */
function useChosenFleet(backend: Backend, { states, text }: MapView): void {
  useEffect(() => backend.scope.choose({ states, text }), [backend, states, text]);
}

/** Where everything is that the server tells of. */
export function fleetPlaces({ vehicles, clusters }: Backend): LatLng[] {
  return [...Array.from(vehicles.values(), ({ position }) => position), ...clusters.values()];
}

/** Show the whole fleet once its first snapshot is complete, unless the address says where to look. */
function useFirstFit(map: LiveMap | undefined, backend: Backend): void {
  useEffect(() => {
    if (map === undefined) return undefined;
    const start = currentView();
    if (start.room === 'map' && (start.camera || start.selection)) return undefined;
    const fit = () => {
      const places = backend.vehicles.isLoaded ? fleetPlaces(backend) : [];
      if (places.length === 0) return false;
      map.fitTo(places, { isInstant: true });
      return true;
    };
    if (fit()) return undefined;
    const stop = backend.vehicles.subscribe(() => fit() && stop());
    return stop;
  }, [map, backend]);
}

/** A trip that was chosen elsewhere (a list, a search, a link without a place) is brought into view once its track is here. */
function useFitToSelectedTrip(map: LiveMap | undefined, { view, shape }: LiveMapHookInput): void {
  const fitted = useRef<string>(undefined);
  const tripId = view.selection?.kind === 'trip' ? view.selection.id : undefined;
  const hasPlace = view.camera !== undefined;
  const fixes = shape?.points;
  useEffect(() => {
    if (tripId === undefined) fitted.current = undefined;
    if (map === undefined || tripId === undefined || fixes === undefined || fixes.length === 0) return;
    if (fitted.current === tripId) return;
    fitted.current = tripId;
    if (!hasPlace) map.fitTo(fixes.map(({ fix }) => fix));
  }, [map, tripId, fixes, hasPlace]);
}
