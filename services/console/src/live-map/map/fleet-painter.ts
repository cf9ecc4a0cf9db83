import type { Map as MapLibreMap } from 'maplibre-gl';
import type { MapPalette } from '../../base-map/palette.ts';
import { pixelsPerWorld, toWorld } from '../vehicles/mercator.ts';
import type { VehicleStore } from '../vehicles/vehicle-store.ts';
import { drawFleet, type ReplayGhost, type SceneView } from './fleet-scene.ts';
import { nextFrameInMs } from './frame-pace.ts';
import { createMarkBuffer } from './mark-buffer.ts';
import { createMarkCanvas } from './mark-canvas.ts';

export interface FleetPainter {
  setPalette(palette: MapPalette): void;
  setSelected(driverId: string | undefined): void;
  setHovered(driverId: string | undefined): void;
  close(): void;
}

/** Everything the store may hold, and the few marks around the selected vehicle. */
const maxMarks = 20_050;

/**
 * Paints the fleet over the map: with every step of the map, and between those as often as something visibly moves.
 *
 * @throws Error where the browser has no WebGL 2
 */
export function createFleetPainter(input: {
  map: MapLibreMap;
  store: VehicleStore;
  palette: MapPalette;
  serverNowMs: () => number;
  /** Where the replayed vehicle was at the moment being shown. */
  ghost: () => ReplayGhost | undefined;
  /** Called before each frame with its time, so that a followed vehicle and the map move in step. */
  onFrame: (nowMs: number) => void;
}): FleetPainter {
  const { map, store } = input;
  const buffer = createMarkBuffer(maxMarks);
  const canvas = createMarkCanvas(map.getCanvasContainer());
  let { palette } = input;
  let size = { width: 0, height: 0 };
  let selectedDriverId: string | undefined;
  let hoveredDriverId: string | undefined;
  let isDue = true;
  let frameMs = performance.now();
  let paintedMs = 0;
  let fastestPixels = 0;
  let frame = 0;

  function paint(): void {
    const view = viewOf(map, size);
    fastestPixels = drawFleet(
      {
        vehicles: store.values(),
        view,
        nowMs: frameMs,
        serverNowMs: input.serverNowMs(),
        selectedDriverId,
        hoveredDriverId,
        ghost: input.ghost(),
      },
      buffer,
    );
    canvas.draw(buffer, { pixelsPerWorld: pixelsPerWorld(view.zoom), palette });
    isDue = false;
    paintedMs = frameMs;
  }

  function tick(nowMs: number): void {
    frame = requestAnimationFrame(tick);
    frameMs = nowMs;
    input.onFrame(nowMs);
    // A moving map paints the fleet with its own frame, so that both are always of the same moment.
    if (map.isMoving()) return;
    const isReplaying = input.ghost() !== undefined;
    if (isDue || isReplaying || nowMs - paintedMs >= nextFrameInMs(fastestPixels)) paint();
  }

  function resize(): void {
    const { clientWidth: width, clientHeight: height } = map.getContainer();
    size = { width, height };
    canvas.resize(width, height);
    paint();
  }

  const stopListening = store.subscribe(() => {
    isDue = true;
  });
  map.on('render', paint);
  map.on('resize', resize);
  resize();
  frame = requestAnimationFrame(tick);

  return {
    setPalette(next) {
      palette = next;
      isDue = true;
    },
    setSelected(driverId) {
      selectedDriverId = driverId;
      isDue = true;
    },
    setHovered(driverId) {
      hoveredDriverId = driverId;
      isDue = true;
    },
    close() {
      cancelAnimationFrame(frame);
      stopListening();
      map.off('render', paint);
      map.off('resize', resize);
      canvas.close();
    },
  };
}

/** The map is never turned nor tilted, so its view is a rectangle around its centre. */
function viewOf(map: MapLibreMap, size: { width: number; height: number }): SceneView {
  const { lat, lng } = map.getCenter();
  const { x, y } = toWorld(lat, lng);
  const zoom = map.getZoom();
  const halfWidth = size.width / 2 / pixelsPerWorld(zoom);
  const halfHeight = size.height / 2 / pixelsPerWorld(zoom);
  return { west: x - halfWidth, east: x + halfWidth, north: y - halfHeight, south: y + halfHeight, zoom };
}
