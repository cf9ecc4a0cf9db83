import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import { type Attempts, createAttempts } from '@hushryd/platform/lifecycle/attempts';
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
import type { AccessChange, AccessPublisher } from '@hushryd/tracking/trip-access/publish-access';
import { holdDuty } from './hold-duty.ts';

/** Longer than any request may take between its majority write and its word to Redis. */
const announcedWithinMs = 60_000;
/** Since when nobody republished a worker cannot know when it starts. */
const atStartMs = 3_600_000;
const layoutCheckMs = 500;
/** Records that are on their way to Redis at once: the last of them has to have its answer within a command's deadline. */
const atOnce = 1_000;

type Kind = 'trip' | 'driver' | 'revocation';

/**
 * Puts into Redis what MongoDB knows and Redis may have missed or lost: trip access, driver states and revoked tokens. Every `changedMs` what changed in
 * the last minute (drivers of ended trips are freed of them), every `allMs` everything under way, and at once where Redis was emptied (a key that says it is filled is gone). Versions make it
 * harmless where Redis has it already.
 *
 * What a shard that is away keeps from being put back keeps nothing else from it; the run counts as failed.
 *
 * "The last minute" begins where the last look ended that put all of it back: after an hour without Redis it is an hour and a minute long.
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
  markRestored,
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
  /** Everything is back: writes the layout keys again, and that Redis is filled. */
  markRestored: () => Promise<void>;
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
  // The duty lies on one shard, and the others do not wait for it: several workers that do it do no harm.
  const mine = (duty: string, forMs: number) => holdDuty({ redis, keys, workerId }, duty, forMs).catch(() => true);

  /** Each record by itself: those of a shard that is away fail, and are told again next time. */
  async function putBack<Put>(
    kind: Kind,
    records: readonly Put[],
    put: (record: Put) => Promise<boolean>,
    work: Attempts,
  ) {
    for (let from = 0; from < records.length; from += atOnce) {
      const some = records.slice(from, from + atOnce);
      const changed = await Promise.all(some.map((record) => work.make(() => put(record))));
      healed.inc({ kind }, changed.filter((isChanged) => isChanged === true).length);
    }
  }

  const republishTrips = (changes: readonly AccessChange[], work: Attempts) =>
    putBack('trip', changes, async (change) => (await access.republish([change])) > 0, work);

  const freeDrivers = (records: readonly TripAccess[], work: Attempts) =>
    putBack(
      'driver',
      records.filter(({ state }) => state === 'ended'),
      (trip) => driverStates.clearTrip(trip),
      work,
    );

  const republishDrivers = (declared: readonly DeclaredState[], work: Attempts) =>
    putBack('driver', declared, (state) => driverStates.set(state), work);

  async function republishRevocations(work: Attempts, changedSinceMs?: number): Promise<void> {
    const { store, publisher } = revocations;
    const inForce = await store.inForce({ nowMs: now(), ...(changedSinceMs !== undefined && { changedSinceMs }) });
    await putBack('revocation', inForce, (revocation) => publisher.publish(revocation), work);
  }

  async function republishChanged(): Promise<void> {
    const nowMs = now();
    if (await mine('republish-changed', 3 * everyMs.changed)) {
      await republishSince(republishedUntilMs - announcedWithinMs);
    }
    republishedUntilMs = nowMs;
  }

  async function republishSince(sinceMs: number): Promise<void> {
    const work = createAttempts();
    await work.make(() => republishRevocations(work, sinceMs));
    await work.make(async () => {
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const page = await trips.changedSince({ sinceMs, cursor });
        await republishTrips(page.changes, work);
        await freeDrivers(
          page.changes.map(({ access }) => access),
          work,
        );
        cursor = page.nextCursor;
      }
    });
    await work.make(async () => {
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const page = await drivers.driversChangedSince({ sinceMs, cursor });
        await republishDrivers(page.drivers, work);
        cursor = page.nextCursor;
      }
    });
    work.throwFirst();
  }

  async function republishAll(): Promise<void> {
    if (!(await mine('republish-all', 2 * everyMs.all))) return;
    const work = createAttempts();
    await work.make(republishEverything);
    for (let t = 0; t < keys.partitions; t += 1) await work.make(() => revocations.publisher.forgetExpired(t, now()));
    work.throwFirst();
  }

  async function republishEverything(): Promise<void> {
    const work = createAttempts();
    await work.make(() => republishRevocations(work));
    await work.make(async () => {
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const page = await trips.activeTrips({ cursor });
        await republishTrips(page.changes, work);
        cursor = page.nextCursor;
      }
    });
    await work.make(async () => {
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const page = await drivers.availableDrivers({ cursor });
        await republishDrivers(page.drivers, work);
        cursor = page.nextCursor;
      }
    });
    work.throwFirst();
  }

  async function restoreWhatWasLost(): Promise<void> {
    const work = createAttempts();
    const partitions = Array.from({ length: keys.partitions }, (_, t) => t);
    const found = await Promise.all(partitions.map((t) => work.make(() => redis.exists(keys.filled(t)))));
    if (!found.includes(0)) return work.throwFirst();
    log.warn({}, 'Redis is new or was emptied, publishing everything');
    await republishEverything();
    await markRestored();
  }

  return [
    createPeriodic({ name: 'republish changes', everyMs: everyMs.changed, run: republishChanged, log }),
    createPeriodic({ name: 'republish all', everyMs: everyMs.all, run: republishAll, log }),
    createPeriodic({ name: 'restore after loss', everyMs: layoutCheckMs, run: restoreWhatWasLost, log }),
  ];
}
