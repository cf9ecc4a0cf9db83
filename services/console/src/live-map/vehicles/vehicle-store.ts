import type { Position } from '@hushryd/contracts/fix';
import { type Glide, glideTo, standAt } from './glide.ts';
import { toWorld } from './mercator.ts';

/** One vehicle on the map: its newest position, and how its symbol gets there. */
export interface Vehicle {
  position: Position;
  glide: Glide;
}

export interface MapChange {
  changed: readonly Position[];
  gone: readonly string[];
  /** Part of the first round after a subscription; with `complete` its last part: what was not named is not there. */
  isSnapshot: boolean;
  isComplete: boolean;
}

export interface VehicleStore {
  readonly size: number;
  /** Vehicles not shown because the store is full. */
  readonly overflowCount: number;
  /** True once a whole snapshot arrived. */
  readonly isLoaded: boolean;
  get(driverId: string): Vehicle | undefined;
  /** The vehicle whose newest fix counts for this trip. */
  findByTrip(tripId: string): Vehicle | undefined;
  values(): IterableIterator<Vehicle>;
  /** A new subscription: its snapshot starts afresh, whatever part of an earlier one came. */
  expectSnapshot(): void;
  apply(change: MapChange): void;
  /**
   * Keep this vehicle even while the map leaves it out; `movePinned` says where it is then. With another one pinned, or none, it goes
   * the way of all others.
   */
  pin(driverId: string | undefined): void;
  /** Its newest position; undefined: it has none any more. */
  movePinned(position: Position | undefined): void;
  /** Called when a whole snapshot has arrived, also one of clusters, which leaves no vehicle but the pinned one. */
  onSnapshot(listener: () => void): () => void;
  /** Called after every change, with the drivers that moved. */
  subscribe(listener: (changed: readonly Position[]) => void): () => void;
}

/**
 * The newest position per driver, bounded: when `maxVehicles` are held, further ones are counted instead of kept.
 *
 * Order is by run and seq, as everywhere: what is older than the position held changes nothing.
 */
export function createVehicleStore(input: {
  intervalMs: number;
  isMotionReduced: () => boolean;
  maxVehicles?: number;
  now?: () => number;
}): VehicleStore {
  const maxVehicles = input.maxVehicles ?? 20_000;
  const now = input.now ?? (() => performance.now());
  const vehicles = new Map<string, Vehicle>();
  const refused = new Set<string>();
  const listeners = new Set<(changed: readonly Position[]) => void>();
  const snapshotListeners = new Set<() => void>();
  let unseen: Set<string> | undefined;
  let isLoaded = false;
  let pinnedId: string | undefined;
  /** The map shows it by itself too. */
  let isPinnedOnMap = false;

  function drop(driverId: string): void {
    if (driverId === pinnedId) isPinnedOnMap = false;
    else vehicles.delete(driverId);
  }

  function put(position: Position, nowMs: number): boolean {
    const known = vehicles.get(position.driverId);
    if (known === undefined) {
      if (vehicles.size >= maxVehicles) {
        if (refused.size < maxVehicles) refused.add(position.driverId);
        return false;
      }
      const to = toWorld(position.lat, position.lng);
      vehicles.set(position.driverId, { position, glide: standAt(to, position.headingDegrees, nowMs) });
      return true;
    }
    if (isOlder(position, known.position)) return false;
    const isSameFix = position.run === known.position.run && position.seq === known.position.seq;
    if (!isSameFix) {
      known.glide = glideTo({
        current: known.glide,
        to: toWorld(position.lat, position.lng),
        headingDegrees: position.headingDegrees,
        gapMs: Math.max(0, position.recordedAtMs - known.position.recordedAtMs),
        intervalMs: input.intervalMs,
        nowMs,
        isMotionReduced: input.isMotionReduced(),
      });
    }
    known.position = position;
    return true;
  }

  function trackSnapshot(change: MapChange): void {
    if (!change.isSnapshot) return;
    unseen ??= new Set(vehicles.keys());
    for (const position of change.changed) unseen.delete(position.driverId);
    if (!change.isComplete) return;
    for (const driverId of unseen) drop(driverId);
    unseen = undefined;
    isLoaded = true;
  }

  return {
    get size() {
      return vehicles.size;
    },
    get overflowCount() {
      return refused.size;
    },
    get isLoaded() {
      return isLoaded;
    },
    get: (driverId) => vehicles.get(driverId),
    findByTrip(tripId) {
      for (const vehicle of vehicles.values()) if (vehicle.position.tripId === tripId) return vehicle;
      return undefined;
    },
    values: () => vehicles.values(),
    expectSnapshot() {
      unseen = undefined;
    },
    apply(change) {
      const nowMs = now();
      const moved = change.changed.filter((position) => put(position, nowMs));
      for (const { driverId } of change.changed) if (driverId === pinnedId) isPinnedOnMap = true;
      for (const driverId of change.gone) {
        drop(driverId);
        refused.delete(driverId);
      }
      trackSnapshot(change);
      for (const listener of listeners) listener(moved);
      if (change.isComplete) for (const listener of snapshotListeners) listener();
    },
    onSnapshot(listener) {
      snapshotListeners.add(listener);
      return () => snapshotListeners.delete(listener);
    },
    pin(driverId) {
      if (driverId === pinnedId) return;
      if (pinnedId !== undefined && !isPinnedOnMap) vehicles.delete(pinnedId);
      pinnedId = driverId;
      isPinnedOnMap = driverId !== undefined && vehicles.has(driverId);
      for (const listener of listeners) listener([]);
    },
    movePinned(position) {
      if (position === undefined) {
        if (pinnedId !== undefined) vehicles.delete(pinnedId);
      } else if (position.driverId !== pinnedId || !put(position, now())) return;
      for (const listener of listeners) listener(position === undefined ? [] : [position]);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function isOlder(position: Position, than: Position): boolean {
  if (position.run !== than.run) return position.run < than.run;
  return position.seq < than.seq;
}
