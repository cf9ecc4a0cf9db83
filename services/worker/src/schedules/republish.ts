import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import { createPeriodic, type Periodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import type { DeclaredState, DriverStore } from '@hushryd/rides/people/driver-store';
import type { RevocationStore } from '@hushryd/rides/people/revocation-store';
import type { TripStore } from '@hushryd/rides/trips/trip-store';
import type { DriverStates } from '@hushryd/tracking/driver-state/driver-states';
import type { RevocationPublisher } from '@hushryd/tracking/revocations/revocation-publisher';
import type { AccessPublisher } from '@hushryd/tracking/trip-access/publish-access';
import { holdDuty } from './hold-duty.ts';

/** Longer than any request may take between its majority write and its word to Redis. */
const announcedWithinMs = 60_000;
/** Since when nobody republished a worker cannot know when it starts. */
const atStartMs = 3_600_000;
const layoutCheckMs = 500;

/**
 * Puts into Redis what MongoDB knows and Redis may have missed or lost: trip access, driver states and revoked tokens. Every `changedMs` what changed in
 * the last minute (drivers of ended trips are freed of them), every `allMs` everything under way, and at once where Redis was emptied (a layout key is gone). Versions make it
 * harmless where Redis has it already.
 *
 * "The last minute" begins where the last look ended: after an hour without Redis it is an hour and a minute long.
 */
export function createRepublishing({
  redis,
  keys,
  workerId,
  trips,
  drivers,
  access,
  driverStates,
  revocations,
  restoreLayout,
  everyMs,
  telemetry,
  log,
  now = Date.now,
}: {
  redis: RedisClient;
  keys: Keys;
  workerId: string;
  trips: Pick<TripStore, 'changedSince' | 'activeTrips'>;
  drivers: Pick<DriverStore, 'driversChangedSince' | 'availableDrivers'>;
  access: Pick<AccessPublisher, 'republish'>;
  driverStates: Pick<DriverStates, 'set' | 'clearTrip'>;
  revocations: { store: Pick<RevocationStore, 'inForce'>; publisher: RevocationPublisher };
  /** Writes the layout keys again after everything is back. */
  restoreLayout: () => Promise<void>;
  everyMs: { changed: number; all: number };
  telemetry: Telemetry;
  log: Logger;
  now?: () => number;
}): Periodic[] {
  const healed = telemetry.counter({
    name: 'republished_total',
    help: 'Records that Redis did not have or had in an older version',
    labelNames: ['kind'],
  });
  let republishedUntilMs = now() + announcedWithinMs - atStartMs;
  const mine = (duty: string, forMs: number) => holdDuty({ redis, keys, workerId }, duty, forMs);

  async function republishTrips(records: readonly TripAccess[]): Promise<void> {
    healed.inc({ kind: 'trip' }, await access.republish(records));
  }

  async function freeDrivers(records: readonly TripAccess[]): Promise<void> {
    const ended = records.filter(({ state }) => state === 'ended');
    const freed = await Promise.all(ended.map((trip) => driverStates.clearTrip(trip)));
    healed.inc({ kind: 'driver' }, freed.filter(Boolean).length);
  }

  async function republishDrivers(declared: readonly DeclaredState[]): Promise<void> {
    const changed = await Promise.all(declared.map((state) => driverStates.set(state)));
    healed.inc({ kind: 'driver' }, changed.filter(Boolean).length);
  }

  async function republishRevocations(changedSinceMs?: number): Promise<void> {
    const { store, publisher } = revocations;
    const inForce = await store.inForce({ nowMs: now(), ...(changedSinceMs !== undefined && { changedSinceMs }) });
    const applied = await Promise.all(inForce.map((revocation) => publisher.publish(revocation)));
    healed.inc({ kind: 'revocation' }, applied.filter(Boolean).length);
  }

  async function republishChanged(): Promise<void> {
    const nowMs = now();
    if (await mine('republish-changed', 3 * everyMs.changed)) {
      await republishSince(republishedUntilMs - announcedWithinMs);
    }
    republishedUntilMs = nowMs;
  }

  async function republishSince(sinceMs: number): Promise<void> {
    await republishRevocations(sinceMs);
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await trips.changedSince({ sinceMs, cursor });
      await republishTrips(page.records);
      await freeDrivers(page.records);
      cursor = page.nextCursor;
    }
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await drivers.driversChangedSince({ sinceMs, cursor });
      await republishDrivers(page.drivers);
      cursor = page.nextCursor;
    }
  }

  async function republishAll(): Promise<void> {
    if (!(await mine('republish-all', 2 * everyMs.all))) return;
    await republishEverything();
    for (let t = 0; t < keys.partitions; t += 1) await revocations.publisher.forgetExpired(t, now());
  }

  async function republishEverything(): Promise<void> {
    await republishRevocations();
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await trips.activeTrips({ cursor });
      await republishTrips(page.records);
      cursor = page.nextCursor;
    }
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await drivers.availableDrivers({ cursor });
      await republishDrivers(page.drivers);
      cursor = page.nextCursor;
    }
  }

  async function restoreWhatWasLost(): Promise<void> {
    const found = await Promise.all(Array.from({ length: keys.partitions }, (_, t) => redis.exists(keys.layout(t))));
    if (found.every((count) => count === 1)) return;
    log.warn({}, 'Redis was emptied, publishing everything again');
    await republishEverything();
    await restoreLayout();
  }

  return [
    createPeriodic({ name: 'republish changes', everyMs: everyMs.changed, run: republishChanged, log }),
    createPeriodic({ name: 'republish all', everyMs: everyMs.all, run: republishAll, log }),
    createPeriodic({ name: 'restore after loss', everyMs: layoutCheckMs, run: restoreWhatWasLost, log }),
  ];
}
