import { AppError } from '@hushryd/platform/errors/app-error';
import type { CollectionDeclaration } from '@hushryd/platform/mongo/collection-declaration';
import { deadline, isDuplicateKey, toMongoError } from '@hushryd/platform/mongo/deadline';
import type { Db, Filter } from 'mongodb';

export const driversCollection: CollectionDeclaration = {
  name: 'drivers',
  indexes: [
    // What the worker republishes.
    { key: { changedAt: 1, _id: 1 }, name: 'changed' },
    { key: { available: 1, _id: 1 }, name: 'by_availability' },
  ],
};

/** A driver as the collection `drivers` holds it. */
export interface DriverDocument {
  _id: string;
  /** Where the company runs; with `createdAt` the shard key. */
  region: string;
  createdAt: Date;
  available: boolean;
  /** Rises by one with every declaration. */
  version: number;
  changedAt: Date;
}

/** What a driver declared last. */
export interface DeclaredState {
  driverId: string;
  available: boolean;
  version: number;
}

/** A page in a stable order; `nextCursor` is the last driver's id, null on the last page. */
export interface DriverPage {
  drivers: DeclaredState[];
  nextCursor: string | null;
}

export interface DriverStore {
  /** The next version with this availability; makes the driver known where he was not. */
  declare(declaration: { driverId: string; available: boolean; changedAt: Date }): Promise<DriverDocument>;
  /** Drivers who declared something since then, ordered by id. */
  driversChangedSince(query: { sinceMs: number; cursor?: string | undefined; limit?: number }): Promise<DriverPage>;
  /** Drivers who are available, ordered by id. */
  availableDrivers(query?: { cursor?: string | undefined; limit?: number }): Promise<DriverPage>;
}

const pageSize = 500;
const maxAttempts = 5;

/**
 * Drivers in MongoDB. Writes are acknowledged by a majority and journalled.
 *
 * @param region for drivers who declare something for the first time
 * @param deadlineMs for each operation
 * @throws AppError `database_unavailable` from every function
 */
export function createDriverStore({
  db,
  region,
  deadlineMs = 5_000,
}: {
  db: Db;
  region: string;
  deadlineMs?: number;
}): DriverStore {
  const drivers = db.collection<DriverDocument>('drivers', { readConcern: { level: 'majority' } });

  /** @returns null where another first declaration was faster; then this one is an update the next time. */
  async function declareOnce(driverId: string, available: boolean, changedAt: Date): Promise<DriverDocument | null> {
    try {
      return await drivers.findOneAndUpdate(
        { _id: driverId },
        { $set: { available, changedAt }, $inc: { version: 1 }, $setOnInsert: { region, createdAt: changedAt } },
        {
          upsert: true,
          returnDocument: 'after',
          writeConcern: { w: 'majority', journal: true },
          ...deadline(deadlineMs),
        },
      );
    } catch (error) {
      if (isDuplicateKey(error)) return null;
      throw toMongoError(error);
    }
  }

  async function readPage(
    filter: Filter<DriverDocument>,
    cursor: string | undefined,
    limit: number,
  ): Promise<DriverPage> {
    const after: Filter<DriverDocument> = cursor === undefined ? {} : { _id: { $gt: cursor } };
    const found = await drivers
      .find({ ...filter, ...after }, { sort: { _id: 1 }, limit, ...deadline(deadlineMs) })
      .toArray()
      .catch((error: unknown) => {
        throw toMongoError(error);
      });
    const last = found.length === limit ? found.at(-1) : undefined;
    return {
      drivers: found.map(({ _id, available, version }) => ({ driverId: _id, available, version })),
      nextCursor: last?._id ?? null,
    };
  }

  return {
    async declare({ driverId, available, changedAt }) {
      for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
        const driver = await declareOnce(driverId, available, changedAt);
        if (driver !== null) return driver;
      }
      throw new AppError('database_unavailable', { detail: 'others declared faster than it could be written' });
    },
    driversChangedSince: ({ sinceMs, cursor, limit = pageSize }) =>
      readPage({ changedAt: { $gte: new Date(sinceMs) } }, cursor, limit),
    availableDrivers: ({ cursor, limit = pageSize } = {}) => readPage({ available: true }, cursor, limit),
  };
}
