import type { MarkColour } from '../../base-map/palette.ts';
import { placeAt } from '../vehicles/glide.ts';
import { pixelsPerWorld, toWorld, type WorldPoint, worldUnitsPerMeter } from '../vehicles/mercator.ts';
import { type SymbolKind, symbolOf } from '../vehicles/symbol.ts';
import type { Vehicle } from '../vehicles/vehicle-store.ts';
import { screenSpeed } from './frame-pace.ts';
import type { MarkBuffer, MarkShape } from './mark-buffer.ts';

/** The part of the world that is drawn, and how large it is there. */
export interface SceneView {
  west: number;
  east: number;
  /** World y grows south: `north` is the smaller one. */
  north: number;
  south: number;
  zoom: number;
}

export interface ReplayGhost extends WorldPoint {
  headingDegrees: number | undefined;
  isInGap: boolean;
}

export interface FleetScene {
  vehicles: Iterable<Vehicle>;
  view: SceneView;
  nowMs: number;
  serverNowMs: number;
  selectedDriverId: string | undefined;
  hoveredDriverId: string | undefined;
  /** Where the replayed vehicle was; the live ones step back behind it. */
  ghost: ReplayGhost | undefined;
}

const dimmedBehindReplay = 0.22;
const looks: Record<SymbolKind, { heading: MarkShape; noHeading: MarkShape; colour: MarkColour }> = {
  on_trip: { heading: 'arrow', noHeading: 'dot', colour: 'onTrip' },
  available: { heading: 'arrowHollow', noHeading: 'dotHollow', colour: 'free' },
  off: { heading: 'dotHollow', noHeading: 'dotHollow', colour: 'off' },
  silent: { heading: 'squareHollow', noHeading: 'squareHollow', colour: 'silent' },
};

/**
 * Write the marks of one frame: everything in view, the selected vehicle on top. Cost: one place a vehicle.
 *
 * @returns the speed of the fastest symbol in view, pixels a second
 */
export function drawFleet(scene: FleetScene, marks: MarkBuffer): number {
  const { view } = scene;
  marks.restart({ x: (view.west + view.east) / 2, y: (view.north + view.south) / 2 });
  const radiusPixels = radiusAt(view.zoom);
  const marginUnits = (radiusPixels * 2) / pixelsPerWorld(view.zoom);
  let selected: Vehicle | undefined;
  let fastest = 0;

  for (const vehicle of scene.vehicles) {
    const { driverId } = vehicle.position;
    if (driverId === scene.selectedDriverId) selected = vehicle;
    else {
      const look = { radiusPixels, marginUnits, isHovered: driverId === scene.hoveredDriverId };
      fastest = Math.max(fastest, drawVehicle(vehicle, scene, marks, look));
    }
  }
  if (selected) fastest = Math.max(fastest, drawSelected(selected, scene, marks, radiusPixels));
  if (scene.ghost) drawGhost(scene.ghost, marks, radiusPixels);
  return fastest;
}

/** Symbols are small over a country and grow towards the street. */
export function radiusAt(zoom: number): number {
  const share = Math.max(0, Math.min(1, (zoom - 9) / 6));
  return 4.5 + share * 5.5;
}

function drawVehicle(
  vehicle: Vehicle,
  scene: FleetScene,
  marks: MarkBuffer,
  look: { radiusPixels: number; marginUnits: number; isHovered: boolean },
): number {
  const { view } = scene;
  const place = placeAt(vehicle.glide, scene.nowMs);
  const { marginUnits } = look;
  if (place.x < view.west - marginUnits || place.x > view.east + marginUnits) return 0;
  if (place.y < view.north - marginUnits || place.y > view.south + marginUnits) return 0;
  const { kind, opacity } = symbolOf(vehicle.position, scene.serverNowMs);
  const { heading, noHeading, colour } = looks[kind];
  // Written out: spreading objects here took four fifths of the time of a frame.
  marks.add({
    x: place.x,
    y: place.y,
    shape: place.headingDegrees === undefined ? noHeading : heading,
    headingDegrees: kind === 'silent' ? 0 : place.headingDegrees,
    colour,
    radiusPixels: look.isHovered ? look.radiusPixels * 1.25 : look.radiusPixels,
    opacity: scene.ghost ? Math.min(opacity, dimmedBehindReplay) : opacity,
  });
  return screenSpeed(vehicle.glide, { nowMs: scene.nowMs, zoom: view.zoom, radiusPixels: look.radiusPixels });
}

function drawSelected(vehicle: Vehicle, scene: FleetScene, marks: MarkBuffer, radiusPixels: number): number {
  const place = placeAt(vehicle.glide, scene.nowMs);
  const { accuracyMeters, lat, lng } = vehicle.position;
  const isBehindReplay = scene.ghost !== undefined;
  if (accuracyMeters !== undefined && !isBehindReplay) {
    const accuracyPixels = accuracyMeters * worldUnitsPerMeter(toWorld(lat, lng).y) * pixelsPerWorld(scene.view.zoom);
    const disc = { shape: 'disc' as const, colour: 'onTrip' as const, opacity: 1 };
    if (accuracyPixels > radiusPixels)
      marks.add({ ...place, ...disc, headingDegrees: 0, radiusPixels: accuracyPixels });
  }
  const speed = drawVehicle(vehicle, scene, marks, {
    radiusPixels: radiusPixels * 1.3,
    marginUnits: 1,
    isHovered: false,
  });
  marks.add({
    ...place,
    shape: 'ring',
    headingDegrees: 0,
    colour: 'selection',
    radiusPixels: radiusPixels * 1.3 + 6,
    opacity: isBehindReplay ? dimmedBehindReplay : 1,
  });
  return speed;
}

function drawGhost(ghost: ReplayGhost, marks: MarkBuffer, radiusPixels: number): void {
  const colour = 'replay';
  const shape = ghost.headingDegrees === undefined ? 'dot' : 'arrow';
  const place = { x: ghost.x, y: ghost.y, colour } as const;
  marks.add({
    ...place,
    shape: ghost.isInGap ? 'squareHollow' : shape,
    headingDegrees: ghost.isInGap ? 0 : ghost.headingDegrees,
    radiusPixels: radiusPixels * 1.4,
    opacity: 1,
  });
  marks.add({ ...place, shape: 'ring', headingDegrees: 0, radiusPixels: radiusPixels * 1.4 + 6, opacity: 0.7 });
}
