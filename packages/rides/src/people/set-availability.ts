import { toAppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { DeclaredState, DriverDocument, DriverStore } from './driver-store.ts';

/**
 * Record that a driver takes rides, or does not, and tell tracking.
 *
 * Declaring the same again is harmless: it makes a version more. A failure to tell tracking is logged and nothing more; the worker
 * republishes what changed within the last minute.
 *
 * @throws AppError `database_unavailable`; the outcome is unknown then and the same request may be sent again
 * Cost: one majority write, one script call.
 */
export async function setAvailability(
  {
    store,
    driverStates,
    log,
    now = Date.now,
  }: {
    store: DriverStore;
    /** `createDriverStates` of tracking. */
    driverStates: { set(declared: DeclaredState): Promise<unknown> };
    log: Logger;
    now?: () => number;
  },
  { driverId, available }: { driverId: string; available: boolean },
): Promise<DriverDocument> {
  const driver = await store.declare({ driverId, available, changedAt: new Date(now()) });
  await driverStates.set({ driverId, available, version: driver.version }).catch((error: unknown) => {
    const { code, message } = toAppError(error);
    log.warn(
      { driverId, version: driver.version, code, reason: message },
      'availability not announced, the worker will',
    );
  });
  return driver;
}
