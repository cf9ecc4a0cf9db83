import type { DropReason } from '@hushryd/contracts/fix';
import type {
  DurableFrame,
  ErrorFrame,
  RecvFrame,
  SupersededFrame,
  WelcomeFrame,
} from '@hushryd/contracts/realtime/server-frames';
import { userTopic } from '@hushryd/contracts/realtime/topics';
import type { ConnectionOptions } from './connection/connection-options.ts';
import type { ConnectionState } from './connection/connection-state.ts';
import { ConnectionError } from './connection/connection-state.ts';
import type { Unsubscribe } from './connection/emitter.ts';
import { createEmitter } from './connection/emitter.ts';
import { toRuntime } from './connection/runtime.ts';
import { createFallbackConnection } from './fallback/fallback-connection.ts';
import { defaultMaxKeptFixes, FixQueue } from './fixes/fix-queue.ts';
import { createFixSender } from './fixes/fix-sender.ts';
import type { FixStore, StoredFixes } from './fixes/fix-store.ts';
import { createStoreWriter } from './fixes/fix-store.ts';
import type { FixReading } from './fixes/reading.ts';
import type { SosCall, SosDetails, SosOptions } from './sos/sos-sender.ts';
import { createClientSos } from './sos/with-sos.ts';
import { createTopicWatches } from './watching/topic-watches.ts';
import type { Watch, WatchHandlers } from './watching/watch-handlers.ts';

export interface DriverClientOptions extends ConnectionOptions, SosOptions {
  /** Keeps the queue over a restart of the app. Without it the queue lives as long as the client. */
  store?: FixStore;
  /** Default 5,000. Beyond it the oldest fixes are given up, and counted. */
  maxKeptFixes?: number;
}

/** A fix that will never be durable: refused with a reason, given up for want of room (`overflow`), or unreadable (`refused`). */
export interface FixDrop {
  /** Undefined while the server has not allotted one yet. */
  run: number | undefined;
  seq: number;
  reason: DropReason | 'overflow' | 'refused';
}

export interface DriverClientEvents {
  state: ConnectionState;
  /** The run is known and the way is open; says how far the run is durable and where the server thinks the driver is. */
  welcome: WelcomeFrame;
  /** Fixes are readable by everyone. `cadenceMs` asks for fixes no more often than that, until another comes; 0: as before. */
  recv: RecvFrame;
  /** Fixes up to `seq` are stored for good. */
  durable: DurableFrame;
  drop: FixDrop;
  /** Another phone of this driver moves the position now. */
  superseded: SupersededFrame;
  /** Something failed and was handled, or the server says why it took something otherwise than meant: fixes for a trip that is not ours. */
  error: Error;
}

export interface DriverClient {
  readonly state: ConnectionState;
  /** The run that takes new fixes; undefined until the first `welcome`. */
  readonly run: number | undefined;
  /** Fixes that are not yet durable. */
  readonly pendingCount: number;
  /** Fixes given up for want of room since the client was made. */
  readonly overflowCount: number;
  /** Loads the store, then connects; resolves once live, see `Connection.connect`. */
  connect(): Promise<void>;
  /** Ends the connection and saves the queue. Fixes that are still pending stay in the store. */
  close(): Promise<void>;
  /**
   * Take a reading; it is sent as soon as possible and kept until it is durable, over any number of reconnects. May be called before
   * `connect` and while offline. Readings added in one go share frames.
   *
   * @param options.tripId the trip that the fix counts for, if the trip's record allows it
   * @returns the fix's number in the current run
   * @throws RangeError where time or place is not finite or the trip id is none
   */
  addFix(reading: FixReading, options?: { tripId?: string }): number;
  /** Resolves when no fix is pending; rejects if the connection is closed while some are. */
  whenDurable(): Promise<void>;
  /** What the company says to this driver, on all of their devices: `notice` events, in order, each once. */
  watchUser(userId: string, handlers: WatchHandlers): Watch;
  /** Call for help; see `RiderClient.triggerSos`. */
  triggerSos(details?: SosDetails): SosCall;
  /** Where the driver is while an alert of his is open; see `RiderClient.sendSosFixes`. His fixes go on beside it. */
  sendSosFixes(alertId: string, readings: readonly FixReading[]): void;
  on<Name extends keyof DriverClientEvents>(
    name: Name,
    listener: (value: DriverClientEvents[Name]) => void,
  ): Unsubscribe;
}

const idPattern = /^[A-Za-z0-9_-]{1,64}$/;

/** A driver's phone: sends fixes in order and keeps each until the server has stored it. */
export function createDriverClient(options: DriverClientOptions): DriverClient {
  const runtime = toRuntime(options);
  const connection = createFallbackConnection(options);
  const events = createEmitter<DriverClientEvents>();
  const watches = createTopicWatches(connection);
  // Before the fixes are asked for: help goes first.
  const sos = createClientSos(connection, options, (cause) =>
    events.emit('error', new ConnectionError('store_failed', 'Unanswered alerts could not be kept', cause)),
  );
  let overflowCount = 0;
  const queue = new FixQueue({
    maxKept: options.maxKeptFixes ?? defaultMaxKeptFixes,
    onOverflow(lost) {
      overflowCount += 1;
      events.emit('drop', { ...lost, reason: 'overflow' });
    },
  });
  const sender = createFixSender({
    queue,
    runtime,
    nextId: connection.nextId,
    wake: connection.wake,
    encoding: () => connection.encoding,
    events: {
      onDrop: (drop) => events.emit('drop', drop),
      onProgress: noteChange,
      onRefused: (frame) => events.emit('error', toError(frame)),
    },
  });
  const writer =
    options.store &&
    createStoreWriter({
      store: options.store,
      snapshot: () => toStored(queue),
      runtime,
      onError: (cause) => events.emit('error', new ConnectionError('store_failed', 'Fixes could not be saved', cause)),
    });
  const waiting = new Set<{ resolve: () => void; reject: (error: Error) => void }>();
  let loading: Promise<void> | undefined;
  let isWanted = false;
  /** What the app was asked for last. */
  let cadenceMs = 0;
  let isFirstRecv = false;

  connection.addSource(sender.next);
  connection.on('error', (error) => events.emit('error', error));
  connection.on('carrying', (isCarrying) => {
    isFirstRecv = isCarrying;
    if (isCarrying) sender.connected();
    else sender.disconnected();
  });
  connection.on('state', (state) => {
    if (state.name === 'closed') rejectWaiting(new ConnectionError('closed', state.message ?? state.reason));
    events.emit('state', state);
  });
  connection.on('frame', (frame) => {
    sender.handle(frame);
    if (frame.type === 'recv') events.emit('recv', withCadence(frame));
    if (frame.type === 'durable') events.emit('durable', frame);
    if (frame.type === 'superseded') events.emit('superseded', frame);
    if (frame.type === 'welcome') events.emit('welcome', frame);
    // An error that answers no frame, as for a trip that the fixes may not count for.
    if (frame.type === 'error' && frame.id === undefined) events.emit('error', toError(frame));
  });

  return {
    watchUser: (userId, handlers) => watches.watch(userTopic(userId), handlers),
    get state() {
      return connection.state;
    },
    get run() {
      return queue.current.run;
    },
    get pendingCount() {
      return queue.keptCount;
    },
    get overflowCount() {
      return overflowCount;
    },
    connect() {
      isWanted = true;
      void sos.resume();
      const live = restoreAndConnect();
      // Whoever does not wait for this promise hears of the end by `state`.
      live.catch(() => undefined);
      return live;
    },
    async close() {
      isWanted = false;
      connection.close();
      rejectWaiting(new ConnectionError('closed', 'closed_by_app'));
      await writer?.flush();
    },
    addFix(reading, { tripId } = {}) {
      if (tripId !== undefined && !idPattern.test(tripId)) throw new RangeError(`Not a trip id: ${tripId}`);
      const seq = queue.add(reading, tripId);
      sender.added();
      writer?.note();
      return seq;
    },
    whenDurable() {
      if (queue.keptCount === 0) return Promise.resolve();
      return new Promise((resolve, reject) => void waiting.add({ resolve, reject }));
    },
    triggerSos: (details = {}) => sos.trigger(details),
    sendSosFixes: sos.sendFixes,
    on: events.on,
  };

  /** A cadence is of one socket: the next one says nothing of it where it asks for none, and then it no longer holds. */
  function withCadence(frame: RecvFrame): RecvFrame {
    const isWithdrawn = isFirstRecv && frame.cadenceMs === undefined && cadenceMs > 0;
    isFirstRecv = false;
    cadenceMs = isWithdrawn ? 0 : (frame.cadenceMs ?? cadenceMs);
    return isWithdrawn ? { ...frame, cadenceMs } : frame;
  }

  async function restoreAndConnect(): Promise<void> {
    loading ??= restore();
    await loading;
    if (!isWanted) throw new ConnectionError('closed', 'closed_by_app');
    await connection.connect();
  }

  async function restore(): Promise<void> {
    try {
      const stored = await options.store?.load();
      if (stored) queue.restore(stored.runs);
    } catch (cause) {
      // Without what was kept the phone still has to report where it is.
      events.emit('error', new ConnectionError('store_failed', 'Kept fixes could not be loaded', cause));
    }
  }

  function noteChange(): void {
    writer?.note();
    if (queue.keptCount > 0) return;
    for (const { resolve } of waiting) resolve();
    waiting.clear();
  }

  function rejectWaiting(error: Error): void {
    for (const { reject } of waiting) reject(error);
    waiting.clear();
  }
}

function toError({ code, topic, message }: ErrorFrame): ConnectionError {
  return new ConnectionError(code, topic === undefined ? message : `${topic}: ${message}`);
}

function toStored(queue: FixQueue): StoredFixes {
  const runs = queue.runs.map(({ run, kept }) => ({ ...(run !== undefined && { run }), fixes: [...kept] }));
  return { version: 1, runs };
}
