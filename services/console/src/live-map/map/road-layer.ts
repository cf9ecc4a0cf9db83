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

/** Keep the travelled roads of the view on the map. What failed is asked for again with the next move, or after a minute. */
export function keepRoads(input: { map: MapLibreMap; getRoads: GetRoads; onError: (error: unknown) => void }): {
  close(): void;
} {
  const { map } = input;
  let fetched: (RoadView & { box: BoundingBox }) | undefined;
  let asking: AbortController | undefined;
  let resting: ReturnType<typeof setTimeout> | undefined;

  async function refresh(isForced: boolean): Promise<void> {
    const view = viewOf(map);
    const box = roadBox(view);
    if (box === undefined || (!isForced && fetched !== undefined && covers(fetched, view))) return;
    asking?.abort();
    const current = new AbortController();
    asking = current;
    try {
      const roads = await input.getRoads(box, current.signal);
      if (current.signal.aborted) return;
      fetched = { ...view, box };
      setOverlay(map, 'roads', roads as FeatureCollection);
    } catch (error) {
      if (!current.signal.aborted) input.onError(error);
    }
  }

  function rest(): void {
    clearTimeout(resting);
    resting = setTimeout(() => void refresh(false), restMs);
  }

  map.on('moveend', rest);
  const renewing = setInterval(() => void refresh(true), renewMs);
  rest();
  return {
    close() {
      map.off('moveend', rest);
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
