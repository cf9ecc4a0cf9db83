import type { DriverState } from '@hushryd/contracts/fix';
import type { MapCluster } from '@hushryd/contracts/realtime/server-frames';

export interface ClusterChange {
  changed: readonly MapCluster[];
  gone: readonly string[];
  isSnapshot: boolean;
  isComplete: boolean;
}

/** Clusters that the server sends in place of vehicles; empty while each vehicle is told by itself. */
export interface ClusterStore {
  readonly size: number;
  /** Vehicles in all of them. */
  readonly vehicleCount: number;
  values(): IterableIterator<MapCluster>;
  countOf(state: DriverState): number;
  expectSnapshot(): void;
  apply(change: ClusterChange): void;
  clear(): void;
  subscribe(listener: () => void): () => void;
}

/** Bounded by the protocol: at most 1,024 of a subscription, and a snapshot replaces those of the one before. */
export function createClusterStore(): ClusterStore {
  let clusters = new Map<string, MapCluster>();
  let snapshot: Map<string, MapCluster> | undefined;
  const listeners = new Set<() => void>();

  function announce(): void {
    for (const listener of listeners) listener();
  }

  return {
    get size() {
      return clusters.size;
    },
    get vehicleCount() {
      let count = 0;
      for (const cluster of clusters.values()) count += cluster.count;
      return count;
    },
    values: () => clusters.values(),
    countOf(state) {
      let count = 0;
      for (const cluster of clusters.values()) count += cluster.states[state] ?? 0;
      return count;
    },
    expectSnapshot() {
      snapshot = undefined;
    },
    apply({ changed, gone, isSnapshot, isComplete }) {
      if (isSnapshot) snapshot ??= new Map();
      const target = snapshot ?? clusters;
      for (const cluster of changed) target.set(cluster.id, cluster);
      for (const id of gone) target.delete(id);
      if (snapshot !== undefined && !isComplete) return;
      clusters = target;
      snapshot = undefined;
      announce();
    },
    clear() {
      if (clusters.size === 0) return;
      clusters = new Map();
      announce();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
