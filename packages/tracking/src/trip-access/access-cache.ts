import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import { tripTopic } from '@hushryd/contracts/realtime/topics';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisConnections } from '@hushryd/platform/redis/connect';
import type { Keys } from '@hushryd/platform/redis/keys';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { LRUCache } from 'lru-cache';
import type { AccessFollower } from '../access-log/access-follower.ts';
import type { AccessNews } from '../access-log/access-log.ts';
import { createAccessLoader, type ResolveAccess } from './access-loader.ts';
import { hasStarted } from './access-rules.ts';

export type { ResolveAccess } from './access-loader.ts';

export interface AccessCache {
  /** What is known right now, without waiting; undefined where it has to be loaded. */
  peek(tripId: string): TripAccess | undefined;
  /**
   * @returns the trip's record, null where there is no such trip (remembered for 10 s)
   * @throws AppError `access_unavailable` where nobody could say; never take that for allowed
   */
  load(tripId: string): Promise<TripAccess | null>;
  /**
   * The same for whoever says that the trip is under way: a record from before its start is read again, since the log that was read last may
   * be a second old, and what is recorded meanwhile would not count for the trip.
   */
  loadStarted(tripId: string): Promise<TripAccess | null>;
  /** Be told of changes of this trip by `onChange` until `unwatch`. Counted: watch twice, unwatch twice. */
  watch(tripId: string): void;
  unwatch(tripId: string): void;
}

const maxRecords = 100_000;
const unknownForMs = 10_000;
const maxUnknown = 10_000;
const askTruthEveryMs = 2000;

/**
 * Trip access records as one node knows them: loaded when first asked for, renewed by following the access logs, so a change anywhere
 * is felt here within `readEveryMs` plus a round trip.
 *
 * While Redis is away records grow old. They are used on for `staleAfterMs`, then only what can be loaded afresh counts: nobody is let
 * in by an answer that nobody could have revoked. Watched trips are then asked of the truth every two seconds.
 *
 * While Redis can be read but not written, or no worker is up to show that it can be, what Redis has counts for nothing: each trip is asked
 * of the truth, its answer good for two seconds. That is one question for 500 trips in use, each two seconds and node: 20 for 10,000.
 *
 * @param resolve asks whoever has the truth, for ids that Redis does not have: the internal listener, or MongoDB itself
 * @param onChange told of each new version of a watched trip
 */
export function createAccessCache({
  connections,
  keys,
  follower,
  resolve,
  onChange,
  log,
  telemetry,
  staleAfterMs = 5000,
  now = Date.now,
}: {
  connections: RedisConnections;
  keys: Keys;
  /** Records are renewed while it runs. */
  follower: Pick<AccessFollower, 'follow'>;
  resolve: ResolveAccess;
  onChange?: (access: TripAccess) => void;
  log: Logger;
  telemetry: Telemetry;
  staleAfterMs?: number;
  now?: () => number;
}): AccessCache {
  const records = new LRUCache<string, TripAccess>({ max: maxRecords });
  const unknown = new LRUCache<string, true>({ max: maxUnknown, ttl: unknownForMs });
  const watched = new Map<string, number>();
  const loader = createAccessLoader({ redis: connections.commands, keys, resolve });
  const lost = telemetry.counter({
    name: 'access_log_lost_total',
    help: 'Times that a node lost its place in an access log and read its trips again',
  });
  /** Watched trips that changed and are not loaded again yet. */
  const outdated = new Set<string>();
  /** Loads on their way, by trip: one whose trip changes meanwhile may bring an answer from before. */
  const loading = new Map<string, Set<{ isOutdated: boolean }>>();
  const followedAtMs = new Array<number>(keys.partitions).fill(Number.NEGATIVE_INFINITY);
  /** Partitions of which Redis may have what nobody could change. */
  let silentPartitions: ReadonlySet<number> = new Set();
  /** When what the truth said of a trip in a silent partition was asked. */
  const toldAtMs = new LRUCache<string, number>({ max: maxRecords });
  const partitionOf = (tripId: string) => keys.topicPartition(tripTopic(tripId));

  let askedTruthAtMs = Number.NEGATIVE_INFINITY;

  follower.follow(async (news, askedAtMs) => {
    for (const tripId of news.tripIds) forget(tripId);
    if (news.lostPartitions.length > 0) {
      lost.inc(news.lostPartitions.length);
      log.warn(
        { partitions: news.lostPartitions.length },
        'lost the place in access logs, reading all watched trips again',
      );
      forgetPartitions(new Set(news.lostPartitions));
    }
    silentPartitions = news.silentPartitions;
    const isFollowed = (t: number) => !news.failures.has(t) && !silentPartitions.has(t);
    for (let t = 0; t < keys.partitions; t += 1) if (isFollowed(t)) followedAtMs[t] = askedAtMs;
    askTruthInstead(news, askedAtMs);
    await reloadOutdated();
  });

  /** Logs that cannot be read or written say nothing of who lost his place: watched trips are asked for one by one, all in a few questions. */
  function askTruthInstead({ failures }: AccessNews, askedAtMs: number): void {
    const isUnknown = (t: number) => failures.has(t) || silentPartitions.has(t);
    if (failures.size + silentPartitions.size === 0 || askedAtMs - askedTruthAtMs < askTruthEveryMs) return;
    askedTruthAtMs = askedAtMs;
    for (const tripId of watched.keys()) if (isUnknown(partitionOf(tripId))) forget(tripId);
  }

  /** The old record is gone at once: what comes next, the new one or none, is decided by loading it. */
  function forget(tripId: string): void {
    records.delete(tripId);
    unknown.delete(tripId);
    if (watched.has(tripId)) outdated.add(tripId);
    for (const load of loading.get(tripId) ?? []) load.isOutdated = true;
  }

  function forgetPartitions(partitions: ReadonlySet<number>): void {
    for (const tripId of [...records.keys(), ...watched.keys(), ...loading.keys()]) {
      if (partitions.has(partitionOf(tripId))) forget(tripId);
    }
  }

  /** What cannot be loaded stays outdated and is tried again in the next round. */
  async function reloadOutdated(): Promise<void> {
    const tripIds = [...outdated].filter((tripId) => watched.has(tripId));
    outdated.clear();
    const loaded = await Promise.allSettled(tripIds.map((tripId) => loadFresh(tripId)));
    for (const [index, result] of loaded.entries()) {
      if (result.status === 'rejected') outdated.add(tripIds[index] as string);
    }
    for (const result of loaded) if (result.status === 'rejected') throw result.reason;
  }

  /** Load until nothing changed in between, so that an old answer never takes the place of a newer one. */
  async function loadFresh(tripId: string): Promise<TripAccess | null> {
    for (;;) {
      const load = beginLoad(tripId);
      const askedAtMs = now();
      const isSilent = silentPartitions.has(partitionOf(tripId));
      try {
        const access = await loader.load(tripId, { isRedisOutdated: isSilent });
        if (load.isOutdated) continue;
        if (isSilent) toldAtMs.set(tripId, askedAtMs);
        if (access === null) unknown.set(tripId, true);
        else keep(access);
        return access;
      } finally {
        load.end();
      }
    }
  }

  function beginLoad(tripId: string) {
    const loads = loading.get(tripId) ?? new Set();
    const load = {
      isOutdated: false,
      end() {
        loads.delete(load);
        if (loads.size === 0) loading.delete(tripId);
      },
    };
    loading.set(tripId, loads.add(load));
    return load;
  }

  function keep(access: TripAccess): void {
    const known = records.get(access.tripId);
    if (known !== undefined && known.version >= access.version) return;
    records.set(access.tripId, access);
    if (watched.has(access.tripId)) onChange?.(access);
  }

  function peek(tripId: string): TripAccess | undefined {
    const t = partitionOf(tripId);
    const isFresh = silentPartitions.has(t)
      ? now() - (toldAtMs.get(tripId) ?? Number.NEGATIVE_INFINITY) <= askTruthEveryMs
      : now() - (followedAtMs[t] as number) <= staleAfterMs;
    return isFresh ? records.get(tripId) : undefined;
  }

  async function load(tripId: string, known: TripAccess | undefined): Promise<TripAccess | null> {
    if (known !== undefined) return known;
    if (unknown.has(tripId)) return null;
    return loadFresh(tripId).catch((cause: unknown) => {
      throw new AppError('access_unavailable', { cause });
    });
  }

  return {
    peek,
    load: (tripId) => load(tripId, peek(tripId)),
    loadStarted(tripId) {
      const known = peek(tripId);
      return load(tripId, hasStarted(known) ? known : undefined);
    },
    watch(tripId) {
      watched.set(tripId, (watched.get(tripId) ?? 0) + 1);
    },
    unwatch(tripId) {
      const count = watched.get(tripId) ?? 0;
      if (count > 1) watched.set(tripId, count - 1);
      else watched.delete(tripId);
    },
  };
}
