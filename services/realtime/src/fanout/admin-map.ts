import type { Position } from '@hushryd/contracts/fix';
import type { TopicFilter } from '@hushryd/contracts/realtime/topic-filter';
import { adminMapTopic } from '@hushryd/contracts/realtime/topics';
import type { LivePositions } from '@hushryd/tracking/feed/live-positions';
import type { Connection, Membership } from '../connections/connection.ts';
import { encodePosition } from './encode-frames.ts';
import { type ClusterLimits, createFilteredMap, type FilteredWatcher } from './filtered-map.ts';
import type { HeldPositions } from './held-positions.ts';
import { createMapTeller, type MapWatcher } from './map-teller.ts';

export interface AdminMap {
  /**
   * Subscribe an operator: `subscribed`, all that he wants to see in frames marked `snapshot`, then what changes. Who may is decided before.
   *
   * @param filter also an empty one: then above 2,000 vehicles clusters are told instead
   * @throws AppError `redis_unavailable` where the positions could not be read
   */
  join(request: {
    connection: Connection;
    id: number | undefined;
    place: Membership;
    filter: TopicFilter | undefined;
  }): Promise<void>;
  /** Called once a second. Resolves when everybody was told, as far as their sockets take it. */
  round(): Promise<void>;
  /** The socket took what it held: on with its round. */
  drained(connection: Connection): void;
  readonly watcherCount: number;
}

/** An operator who sees everything. */
interface WholeWatcher extends MapWatcher {
  readonly filter: undefined;
  /** Drivers that changed since this round began. Newest wins, so a driver stands here once however often he moved. */
  readonly changed: Set<string>;
}

type Watcher = WholeWatcher | FilteredWatcher;

/** Who filters gets a round every third time. */
const filteredEveryRounds = 3;

/**
 * The operators' map. One round a second tells each operator what changed since he was last told, one in three seconds each who gave a
 * filter; a slow operator gets fewer, newer rounds.
 *
 * Live positions are kept in memory only while an operator watches.
 */
export function createAdminMap({
  positions,
  now = Date.now,
  clusterLimits,
}: {
  positions: HeldPositions;
  now?: () => number;
  clusterLimits?: ClusterLimits;
}): AdminMap {
  const watchers = new Map<Connection, Watcher>();
  /** JSON of positions, shared by all operators of a round. */
  let encoded = new WeakMap<Position, string>();
  let roundCount = 0;
  const isWatching = (watcher: MapWatcher) => watchers.get(watcher.connection) === watcher;
  const teller = createMapTeller({ isWatching, now });
  const filtered = createFilteredMap({
    readFleet: () => positions.current,
    isWatching,
    tell: teller.tell,
    now,
    limits: clusterLimits,
  });
  positions.use({
    isNeeded: () => watchers.size > 0,
    onChange(driverId) {
      for (const watcher of watchers.values()) if (watcher.filter === undefined) watcher.changed.add(driverId);
    },
    onLetGo() {
      encoded = new WeakMap();
      filtered.release();
    },
  });

  function leave(watcher: Watcher): void {
    if (!isWatching(watcher)) return;
    watchers.delete(watcher.connection);
    positions.letGoLater();
  }

  function encode(position: Position): string {
    let text = encoded.get(position);
    if (text === undefined) {
      text = encodePosition(position);
      encoded.set(position, text);
    }
    return text;
  }

  function watchWhole(connection: Connection, live: LivePositions): WholeWatcher {
    const changed = new Set<string>();
    return {
      ...idle(connection),
      // The first round names everybody, and comes even if there is nobody.
      isSnapshot: true,
      isFrameDue: true,
      filter: undefined,
      changed,
      left: Array.from(live, ({ driverId }) => driverId),
      take(driverId) {
        changed.delete(driverId);
        const position = positions.current?.get(driverId);
        return position && encode(position);
      },
    };
  }

  function watchFiltered(connection: Connection, filter: TopicFilter): FilteredWatcher {
    const watcher: FilteredWatcher = {
      ...idle(connection),
      filter,
      picture: new Map(),
      level: undefined,
      left: [],
      take(id) {
        const thing = watcher.picture.get(id);
        return typeof thing === 'object' ? encode(thing) : thing;
      },
    };
    return watcher;
  }

  function filteredWatchers(): FilteredWatcher[] {
    return [...watchers.values()].filter((watcher) => watcher.filter !== undefined);
  }

  function beginRound(watcher: WholeWatcher): void {
    const { changed } = watcher;
    if (watcher.left.length > 0 || changed.size === 0) return;
    watcher.left = [...changed];
    changed.clear();
  }

  return {
    async join({ connection, id, place, filter }) {
      const live = await positions.hold();
      if (connection.memberships?.get(adminMapTopic) !== place) {
        positions.letGoLater();
        return;
      }
      positions.mustBeCurrent(live);
      const watcher = filter === undefined ? watchWhole(connection, live) : watchFiltered(connection, filter);
      place.leave = () => leave(watcher);
      watchers.set(connection, watcher);
      connection.sendFrame({ type: 'subscribed', ...(id !== undefined && { id }), topic: adminMapTopic });
      if (watcher.filter === undefined) teller.tell(watcher);
      else await filtered.begin(watcher);
    },
    async round() {
      roundCount += 1;
      for (const watcher of watchers.values()) {
        if (watcher.filter === undefined) beginRound(watcher);
        teller.tell(watcher);
      }
      if (roundCount % filteredEveryRounds === 0) await filtered.round(filteredWatchers());
    },
    drained(connection) {
      const watcher = watchers.get(connection);
      if (watcher !== undefined) teller.tell(watcher);
    },
    get watcherCount() {
      return watchers.size;
    },
  };
}

/** Nothing is told yet, nor due. */
function idle(connection: Connection) {
  return { connection, shown: 'vehicles' as const, isSnapshot: false, isFrameDue: false, isGoingOn: false };
}
