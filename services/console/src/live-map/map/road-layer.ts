import type { RoadsReply } from '@hushryd/contracts/http/map';
import type { BoundingBox } from '@hushryd/sdk/http/http-client';
import type { FeatureCollection } from 'geojson';
import type { Map as MapLibreMap } from 'maplibre-gl';
import { setOverlay } from './overlays.ts';
import { covers, type RoadView, roadBox } from './road-box.ts';

export type GetRoads = (box: BoundingBox, signal: AbortSignal) => Promise<RoadsReply>;

/** The map rests this long before roads are asked for. */
const restMs = 350;
/** New roads are learned all the time. */
const renewMs = 60_000;
/** After a failure the map asks no more than this often, however much it moves. */
const failurePauseMs = 10_000;

/** Keep the travelled roads of the view on the map. */
export function keepRoads(input: { map: MapLibreMap; getRoads: GetRoads; onError: (error: unknown) => void }): {
  close(): void;
} {
  const { map } = input;
  let fetched: (RoadView & { box: BoundingBox }) | undefined;
  let asking: AbortController | undefined;
  let resting: ReturnType<typeof setTimeout> | undefined;
  let notBeforeMs = 0;

  async function refresh(isForced: boolean): Promise<void> {
    resting = undefined;
    const view = viewOf(map);
    const box = roadBox(view);
    if (box === undefined || (!isForced && fetched !== undefined && covers(fetched, view))) return;
    if (Date.now() < notBeforeMs) return;
    asking?.abort();
    const current = new AbortController();
    asking = current;
    try {
      const roads = await input.getRoads(box, current.signal);
      if (current.signal.aborted) return;
      fetched = { ...view, box };
      setOverlay(map, 'roads', roads as FeatureCollection);
    } catch (error) {
      if (current.signal.aborted) return;
      notBeforeMs = Date.now() + failurePauseMs;
      rest(failurePauseMs);
      input.onError(error);
    }
  }

  function rest(pauseMs: number): void {
    clearTimeout(resting);
    resting = setTimeout(() => void refresh(false), pauseMs);
  }

  // A map that follows a vehicle moves all the time: it is looked at once per pause, not only when it stops.
  const settle = () => {
    if (resting === undefined) rest(restMs);
  };
  map.on('moveend', settle);
  const renewing = setInterval(() => void refresh(true), renewMs);
  rest(restMs);
  return {
    close() {
      map.off('moveend', settle);
      clearTimeout(resting);
      clearInterval(renewing);
      asking?.abort();
    },
  };
}

function viewOf(map: MapLibreMap): RoadView {
  const bounds = map.getBounds();
  return {
    west: bounds.getWest(),
    south: bounds.getSouth(),
    east: bounds.getEast(),
    north: bounds.getNorth(),
    zoom: map.getZoom(),
  };
}
