import type { Map as MapLibreMap, MapMouseEvent } from 'maplibre-gl';
import { toWorld } from '../vehicles/mercator.ts';
import type { Vehicle, VehicleStore } from '../vehicles/vehicle-store.ts';
import { pickVehicle } from './pick-vehicle.ts';

/** A vehicle under the pointer and where its symbol stands, CSS pixels of the map. */
export interface Hover {
  driverId: string;
  x: number;
  y: number;
}

/** A click on a cluster comes this much closer. */
const clusterZoomSteps = 2;

/** Hover and click on vehicles. Several moves of the mouse within a frame cost one search. */
export function watchPointer(input: {
  map: MapLibreMap;
  store: VehicleStore;
  onHover: (hover: Hover | undefined) => void;
  onPick: (driverId: string | undefined) => void;
}): { close(): void } {
  const { map } = input;
  let hoveredId: string | undefined;
  let pending: MapMouseEvent | undefined;
  let frame = 0;

  const find = (event: MapMouseEvent): Vehicle | undefined =>
    pickVehicle({
      vehicles: input.store.values(),
      at: toWorld(event.lngLat.lat, event.lngLat.lng),
      zoom: map.getZoom(),
      nowMs: performance.now(),
    });

  function hover(): void {
    frame = 0;
    if (pending === undefined) return;
    const vehicle = find(pending);
    const { x, y } = pending.point;
    pending = undefined;
    if (vehicle === undefined && hoveredId === undefined) return;
    hoveredId = vehicle?.position.driverId;
    map.getCanvas().style.cursor = vehicle ? 'pointer' : '';
    input.onHover(vehicle ? { driverId: vehicle.position.driverId, x, y } : undefined);
  }

  function move(event: MapMouseEvent): void {
    pending = event;
    frame ||= requestAnimationFrame(hover);
  }

  function leave(): void {
    pending = undefined;
    if (hoveredId === undefined) return;
    hoveredId = undefined;
    input.onHover(undefined);
  }

  function click(event: MapMouseEvent): void {
    const driverId = find(event)?.position.driverId;
    const isOnCluster =
      driverId === undefined && map.queryRenderedFeatures(event.point, { layers: ['cluster'] }).length > 0;
    if (isOnCluster) map.easeTo({ center: event.lngLat, zoom: map.getZoom() + clusterZoomSteps });
    else input.onPick(driverId);
  }

  map.on('mousemove', move);
  map.on('mouseout', leave);
  map.on('movestart', leave);
  map.on('click', click);
  return {
    close() {
      cancelAnimationFrame(frame);
      map.off('mousemove', move);
      map.off('mouseout', leave);
      map.off('movestart', leave);
      map.off('click', click);
    },
  };
}
