import type { LatLng } from '@hushryd/contracts/geo';
import type { MapCluster } from '@hushryd/contracts/realtime/server-frames';
import type { BoundingBox } from '@hushryd/contracts/realtime/topic-filter';
import type { FeatureCollection } from 'geojson';
import type { Map as MapLibreMap } from 'maplibre-gl';
import { baseLayers } from '../../base-map/base-style.ts';
import { boxAround } from '../../base-map/box-around.ts';
import { createMap } from '../../base-map/create-map.ts';
import { bringLand } from '../../base-map/land-detail.ts';
import { palettes } from '../../base-map/palette.ts';
import { repaint } from '../../base-map/repaint.ts';
import type { Camera } from '../../routing/view.ts';
import { plannedFeatures, trackFeatures } from '../track/track-features.ts';
import type { TrackShape } from '../track/track-shape.ts';
import type { ClusterStore } from '../vehicles/cluster-store.ts';
import { placeAt } from '../vehicles/glide.ts';
import type { VehicleStore } from '../vehicles/vehicle-store.ts';
import { createFleetPainter } from './fleet-painter.ts';
import type { ReplayGhost } from './fleet-scene.ts';
import { approach, followFromZoom, type Insets, keepInMiddle } from './follow-vehicle.ts';
import { addOverlays, overlayLayers, setOverlay } from './overlays.ts';
import { type Hover, watchPointer } from './pointer.ts';
import { type GetRoads, keepRoads } from './road-layer.ts';
import { watchWindow } from './watch-window.ts';

export type MapTheme = keyof typeof palettes;

export interface LiveMap {
  setTheme(theme: MapTheme): void;
  setSelected(driverId: string | undefined): void;
  setFollowing(isFollowing: boolean): void;
  setTrack(shape: TrackShape | undefined, options: { isPlain: boolean }): void;
  setPlannedRoute(route: readonly LatLng[] | undefined): void;
  setInsets(insets: Insets): void;
  /** Show all of these places; `maxZoom` keeps a single one from filling the screen with a street corner. */
  fitTo(places: Iterable<LatLng>, options?: { maxZoom?: number; isInstant?: boolean }): void;
  zoomBy(steps: number): void;
  close(): void;
}

export interface LiveMapInput {
  container: HTMLElement;
  theme: MapTheme;
  streetsUrl: string | null;
  mapStyleUrl: string | null;
  camera: Camera | undefined;
  store: VehicleStore;
  clusters: ClusterStore;
  serverNowMs: () => number;
  ghost: () => ReplayGhost | undefined;
  getRoads: GetRoads;
  isMotionReduced: () => boolean;
  onReady: () => void;
  onPick: (driverId: string | undefined) => void;
  onHover: (hover: Hover | undefined) => void;
  onCamera: (camera: Camera) => void;
  /** The part of the world to ask vehicles of. */
  onWindow: (box: BoundingBox) => void;
  /** A person took hold of the map. */
  onDrag: () => void;
  /** Part of the base map could not be had. */
  onProblem: (error: unknown) => void;
}

const fitMarginPixels = 48;

/**
 * The map with the fleet on it. Everything is drawn by the graphics card; React only hears of clicks, hovers and the camera.
 *
 * @throws Error where the browser has no WebGL 2
 */
export function createLiveMap(input: LiveMapInput): LiveMap {
  const { store } = input;
  let theme = input.theme;
  let insets: Insets = { top: 0, right: 0, bottom: 0, left: 0 };
  let selectedDriverId: string | undefined;
  let isFollowing = false;
  let hasApproached = false;
  let track: { shape: TrackShape | undefined; isPlain: boolean } = { shape: undefined, isPlain: false };
  let planned: readonly LatLng[] | undefined;
  let isReady = false;

  const map = createMap({ ...input, palette: palettes[theme] });
  const painter = createFleetPainter({
    map,
    store,
    palette: palettes[theme],
    serverNowMs: input.serverNowMs,
    ghost: input.ghost,
    onFrame(nowMs) {
      if (!isFollowing || !isReady) return;
      const vehicle = selectedDriverId === undefined ? undefined : store.get(selectedDriverId);
      const place = input.ghost() ?? (vehicle && placeAt(vehicle.glide, nowMs));
      if (place === undefined) return;
      if (map.getZoom() >= followFromZoom || hasApproached) keepInMiddle(map, place, insets);
      else approach(map, place, { insets, durationMs: input.isMotionReduced() ? 0 : 800 });
      hasApproached = true;
    },
  });
  const pointer = watchPointer({
    map,
    store,
    onPick: input.onPick,
    onHover(hover) {
      painter.setHovered(hover?.driverId);
      input.onHover(hover);
    },
  });
  const closers: { close(): void }[] = [pointer, painter];

  map.once('style.load', () => {
    addOverlays(map, palettes[theme], { isTrackPlain: track.isPlain });
    setOverlay(map, 'track', track.shape && trackFeatures(track.shape));
    setOverlay(map, 'planned', planned && plannedFeatures(planned));
    if (input.mapStyleUrl === null) closers.push(bringLand(map, input.onProblem));
    closers.push(keepRoads({ map, getRoads: input.getRoads, onError: input.onProblem }));
    const showClusters = () => setOverlay(map, 'clusters', clusterFeatures(input.clusters.values()));
    closers.push({ close: input.clusters.subscribe(showClusters) });
    showClusters();
    closers.push(watchWindow(map, input.onWindow));
    isReady = true;
    input.onReady();
  });
  map.on('error', ({ error }) => input.onProblem(error));
  map.on('dragstart', input.onDrag);
  map.on('moveend', () => {
    if (!isFollowing) input.onCamera(cameraOf(map));
  });

  return {
    setTheme(next) {
      theme = next;
      painter.setPalette(palettes[theme]);
      if (!isReady) return;
      if (input.mapStyleUrl === null) repaint(map, baseLayers(palettes[theme]));
      repaint(map, overlayLayers(palettes[theme], { isTrackPlain: track.isPlain }));
    },
    setSelected(driverId) {
      selectedDriverId = driverId;
      painter.setSelected(driverId);
    },
    setFollowing(next) {
      isFollowing = next;
      hasApproached = false;
      // While following, zooming keeps the vehicle in the middle instead of the pointer's place.
      map.scrollZoom.enable(next ? { around: 'center' } : undefined);
    },
    setTrack(shape, { isPlain }) {
      const isRecoloured = isPlain !== track.isPlain;
      track = { shape, isPlain };
      if (!isReady) return;
      setOverlay(map, 'track', shape && trackFeatures(shape));
      if (isRecoloured) repaint(map, overlayLayers(palettes[theme], { isTrackPlain: isPlain }));
    },
    setPlannedRoute(route) {
      planned = route;
      if (isReady) setOverlay(map, 'planned', route && plannedFeatures(route));
    },
    setInsets(next) {
      insets = next;
    },
    fitTo(places, { maxZoom = 15, isInstant = false } = {}) {
      const box = boxAround(places);
      if (box === undefined) return;
      const animate = !isInstant && !input.isMotionReduced();
      map.fitBounds(box, { padding: withMargin(insets), maxZoom, animate, duration: 600 });
    },
    zoomBy(steps) {
      map.easeTo({ zoom: map.getZoom() + steps, duration: input.isMotionReduced() ? 0 : 200 });
    },
    close() {
      for (const closer of closers) closer.close();
      map.remove();
    },
  };
}

function clusterFeatures(clusters: Iterable<MapCluster>): FeatureCollection {
  return {
    type: 'FeatureCollection',
    features: Array.from(clusters, ({ lat, lng, count }) => ({
      type: 'Feature',
      geometry: { type: 'Point', coordinates: [lng, lat] },
      properties: { count },
    })),
  };
}

function cameraOf(map: MapLibreMap): Camera {
  const { lat, lng } = map.getCenter();
  return { lat, lng, zoom: map.getZoom() };
}

function withMargin({ top, right, bottom, left }: Insets): Insets {
  const margin = fitMarginPixels;
  return { top: top + margin, right: right + margin, bottom: bottom + margin, left: left + margin };
}
