import type { Position } from '@hushryd/contracts/fix';
import { adminMapTopic } from '@hushryd/contracts/realtime/topics';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { LivePositions } from '@hushryd/tracking/feed/live-positions';
import type { Connection, Membership } from '../connections/connection.ts';
import { encodePosition } from './encode-frames.ts';

export interface AdminMap {
  /**
   * Subscribe an operator: `subscribed`, the whole map in frames marked `snapshot`, then what changes. Who may is decided before.
   *
   * @throws AppError `redis_unavailable` where the positions could not be read
   */
  join(request: { connection: Connection; id: number | undefined; place: Membership }): Promise<void>;
  /** Called once a second. */
  round(): void;
  /** The socket took what it held: on with its round. */
  drained(connection: Connection): void;
  close(): Promise<void>;
  readonly watcherCount: number;
}

interface Watcher {
  readonly connection: Connection;
  /** Drivers that changed since this round began. Newest wins, so a driver stands here once however often he moved. */
  readonly changed: Set<string>;
  /** Drivers still to be told of in this round. */
  left: string[];
  /** The first round names everybody. */
  isFirstRound: boolean;
  /** Takes so much that it will be told more in the next turn of the event loop. */
  isGoingOn: boolean;
}

const maxVehicles = 200;
const maxFrameBytes = 24_576;
/** Frames in a row to one operator before the event loop does something else. */
const maxFramesAtOnce = 20;
/** Operators come and go; reading all positions again for each would be dear. */
const keepPositionsMs = 10_000;

/**
 * The operators' map: all vehicles, unfiltered. One round a second tells each operator what changed since he was last told, at most
 * 200 vehicles a frame, the next frame when the last has left; a slow operator gets fewer, newer rounds.
 *
 * Live positions are kept in memory only while an operator watches.
 */
export function createAdminMap({
  openPositions,
  log,
  now = Date.now,
}: {
  openPositions: () => LivePositions;
  log: Logger;
  now?: () => number;
}): AdminMap {
  const watchers = new Map<Connection, Watcher>();
  let positions: LivePositions | undefined;
  let starting: Promise<LivePositions> | undefined;
  let stopTimer: NodeJS.Timeout | undefined;
  /** JSON of positions, shared by all operators of a round. */
  let encoded = new WeakMap<Position, string>();

  function open(): Promise<LivePositions> {
    const opening = start();
    starting = opening;
    opening.then(
      (opened) => {
        if (starting === opening) positions = opened;
      },
      () => {
        if (starting === opening) starting = undefined;
      },
    );
    return opening;
  }

  async function start(): Promise<LivePositions> {
    const opened = openPositions();
    try {
      await opened.start();
    } catch (error) {
      await opened.close();
      throw error;
    }
    opened.onChange((driverId) => {
      for (const watcher of watchers.values()) watcher.changed.add(driverId);
    });
    return opened;
  }

  /** Also what is still being opened: it is closed as soon as it is there. */
  async function stop(): Promise<void> {
    clearTimeout(stopTimer);
    const opening = starting;
    positions = undefined;
    starting = undefined;
    encoded = new WeakMap();
    const opened = await opening?.catch(() => undefined);
    await opened?.close();
  }

  function leave(watcher: Watcher): void {
    if (watchers.get(watcher.connection) !== watcher) return;
    watchers.delete(watcher.connection);
    stopLater();
  }

  function stopLater(): void {
    if (watchers.size > 0) return;
    clearTimeout(stopTimer);
    stopTimer = setTimeout(() => {
      if (watchers.size > 0) return;
      stop().catch((err: unknown) => log.warn({ err }, 'live positions not closed'));
    }, keepPositionsMs);
    stopTimer.unref();
  }

  function tell(watcher: Watcher): void {
    const { connection } = watcher;
    for (let frames = 0; frames < maxFramesAtOnce && connection.bufferedBytes === 0; frames += 1) {
      if (watcher.left.length === 0 && !watcher.isFirstRound) return;
      if (!connection.send(nextFrame(watcher), 'map')) return;
    }
    if (connection.bufferedBytes === 0) goOn(watcher);
  }

  /** Nothing is buffered, so no drain will ask for more. */
  function goOn(watcher: Watcher): void {
    if (watcher.left.length === 0 || watcher.isGoingOn) return;
    watcher.isGoingOn = true;
    setImmediate(() => {
      watcher.isGoingOn = false;
      if (watchers.get(watcher.connection) === watcher) tell(watcher);
    });
  }

  function nextFrame(watcher: Watcher): string {
    const { left, changed, isFirstRound } = watcher;
    const vehicles: string[] = [];
    const gone: string[] = [];
    for (let bytes = 0; left.length > 0 && bytes < maxFrameBytes && vehicles.length + gone.length < maxVehicles; ) {
      const driverId = left.pop() as string;
      changed.delete(driverId);
      const position = positions?.get(driverId);
      const text = position === undefined ? `"${driverId}"` : encode(position);
      (position === undefined ? gone : vehicles).push(text);
      bytes += text.length;
    }
    let marks = isFirstRound ? ',"snapshot":true' : '';
    if (isFirstRound && left.length === 0) {
      marks += ',"complete":true';
      watcher.isFirstRound = false;
    }
    return `{"type":"map","topic":"${adminMapTopic}","asOfMs":${now()}${marks},"vehicles":[${vehicles}],"gone":[${gone}]}`;
  }

  function encode(position: Position): string {
    let text = encoded.get(position);
    if (text === undefined) {
      text = encodePosition(position);
      encoded.set(position, text);
    }
    return text;
  }

  return {
    async join({ connection, id, place }) {
      clearTimeout(stopTimer);
      const live = await (starting ?? open());
      if (connection.memberships?.get(adminMapTopic) !== place) {
        stopLater();
        return;
      }
      if (live !== positions) throw new AppError('redis_unavailable');
      const left = Array.from(live, ({ driverId }) => driverId);
      const watcher: Watcher = {
        connection,
        changed: new Set(),
        left,
        isFirstRound: true,
        isGoingOn: false,
      };
      place.leave = () => leave(watcher);
      watchers.set(connection, watcher);
      connection.sendFrame({ type: 'subscribed', ...(id !== undefined && { id }), topic: adminMapTopic });
      tell(watcher);
    },
    round() {
      for (const watcher of watchers.values()) {
        if (watcher.left.length === 0 && watcher.changed.size > 0) {
          watcher.left = [...watcher.changed];
          watcher.changed.clear();
        }
        tell(watcher);
      }
    },
    drained(connection) {
      const watcher = watchers.get(connection);
      if (watcher !== undefined) tell(watcher);
    },
    close: stop,
    get watcherCount() {
      return watchers.size;
    },
  };
}
