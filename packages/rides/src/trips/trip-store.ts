import type { TripEvent } from '@hushryd/contracts/events/topic-event';
import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import type { CollectionDeclaration } from '@hushryd/platform/mongo/collection-declaration';
import { deadline, isDuplicateKey, toMongoError } from '@hushryd/platform/mongo/deadline';
import type { Db, Filter } from 'mongodb';
import { type TripAccessFields, toTripAccess, tripAccessProjection } from './to-trip-access.ts';
import { type TripDocument, type TripEventFields, toTripEvent, tripEventProjection } from './trip-document.ts';

export const tripsCollection: CollectionDeclaration = {
  name: 'trips',
  indexes: [
    // Staff lists: newest first, the id settles ties, with and without a state.
    { key: { createdAt: -1, _id: 1 }, name: 'newest' },
    { key: { state: 1, createdAt: -1, _id: 1 }, name: 'newest_by_state' },
    // Search by prefix; the id has its own index.
    { key: { reference: 1 }, name: 'reference', partialFilterExpression: { reference: { $exists: true } } },
    { key: { driverId: 1, createdAt: -1 }, name: 'driver' },
    { key: { driverId: 1 }, name: 'one_active_trip', unique: true, partialFilterExpression: { state: 'active' } },
    {
      key: { 'creation.userId': 1, 'creation.key': 1 },
      name: 'idempotency',
      unique: true,
      partialFilterExpression: { 'creation.key': { $exists: true } },
    },
    // What the worker republishes.
    { key: { changedAt: 1, _id: 1 }, name: 'changed' },
    { key: { state: 1, _id: 1 }, name: 'by_state' },
  ],
};

/** A page of trips in a stable order: each as it is now, and what made it so. `nextCursor` is the last id, null on the last page. */
export interface ChangePage {
  changes: { access: TripAccess; event: TripEvent }[];
  nextCursor: string | null;
}

export interface TripStore {
  /** `duplicate`: the id or the idempotency key is taken. */
  insert(document: TripDocument): Promise<'inserted' | 'duplicate'>;
  /** Write the next version if the trip is still what `current` says. `driver_busy`: the driver has another active trip. */
  replace(current: TripDocument, next: TripDocument): Promise<'replaced' | 'changed_meanwhile' | 'driver_busy'>;
  findById(tripId: string): Promise<TripDocument | null>;
  findByKey(creation: { userId: string; key: string }): Promise<TripDocument | null>;
  find(filter: Filter<TripDocument>, options: { limit: number }): Promise<TripDocument[]>;

  /** Records of these trips; ids that no trip has are left out. */
  tripAccessByIds(tripIds: readonly string[]): Promise<TripAccess[]>;
  /** Trips changed since then, ordered by id. */
  changedSince(query: { sinceMs: number; cursor?: string | undefined; limit?: number }): Promise<ChangePage>;
  /** The trips under way, ordered by id. */
  activeTrips(query?: { cursor?: string | undefined; limit?: number }): Promise<ChangePage>;
}

const pageSize = 500;

/**
 * Trips in MongoDB. Writes are acknowledged by a majority and journalled; reads see only what a majority has, so that an answer
 * cannot be taken back by an election.
 *
 * @param deadlineMs for each operation
 * @throws AppError `database_unavailable` from every function. A write that threw it with outcome `unknown` may have been applied, or
 *   may still be: ask by id before trying again, as change-trip.ts and create-trip.ts do.
 */
export function createTripStore({ db, deadlineMs = 5_000 }: { db: Db; deadlineMs?: number }): TripStore {
  const trips = db.collection<TripDocument>('trips', { readConcern: { level: 'majority' } });
  const writeConcern = { w: 'majority', journal: true } as const;

  const findOne = (filter: Filter<TripDocument>) => attempt(() => trips.findOne(filter, deadline(deadlineMs)));

  async function readPage(
    filter: Filter<TripDocument>,
    cursor: string | undefined,
    limit: number,
  ): Promise<ChangePage> {
    const documents = await attempt(() =>
      trips
        .find<TripAccessFields & TripEventFields>(
          { ...filter, ...(cursor !== undefined && { _id: { $gt: cursor } }) },
          {
            projection: { ...tripAccessProjection, ...tripEventProjection },
            sort: { _id: 1 },
            limit,
            ...deadline(deadlineMs),
          },
        )
        .toArray(),
    );
    const last = documents.length === limit ? documents.at(-1) : undefined;
    const changes = documents.map((document) => ({ access: toTripAccess(document), event: toTripEvent(document) }));
    return { changes, nextCursor: last?._id ?? null };
  }

  return {
    async insert(document) {
      return attempt(async () => {
        try {
          await trips.insertOne(document, { writeConcern, ...deadline(deadlineMs) });
          return 'inserted';
        } catch (error) {
          if (isDuplicateKey(error)) return 'duplicate';
          throw error;
        }
      });
    },

    async replace(current, next) {
      return attempt(async () => {
        try {
          const result = await trips.replaceOne(
            { _id: current._id, state: current.state, version: current.version },
            next,
            { writeConcern, ...deadline(deadlineMs) },
          );
          return result.matchedCount === 1 ? 'replaced' : 'changed_meanwhile';
        } catch (error) {
          if (isDuplicateKey(error)) return 'driver_busy';
          throw error;
        }
      });
    },

    findById: (tripId) => findOne({ _id: tripId }),
    findByKey: ({ userId, key }) => findOne({ 'creation.userId': userId, 'creation.key': key }),
    find: (filter, { limit }) =>
      attempt(() => trips.find(filter, { sort: { createdAt: -1, _id: 1 }, limit, ...deadline(deadlineMs) }).toArray()),

    async tripAccessByIds(tripIds) {
      const documents = await attempt(() =>
        trips
          .find<TripAccessFields>(
            { _id: { $in: [...tripIds] } },
            { projection: tripAccessProjection, ...deadline(deadlineMs) },
          )
          .toArray(),
      );
      return documents.map(toTripAccess);
    },
    changedSince: ({ sinceMs, cursor, limit = pageSize }) =>
      readPage({ changedAt: { $gte: new Date(sinceMs) } }, cursor, limit),
    activeTrips: ({ cursor, limit = pageSize } = {}) => readPage({ state: 'active' }, cursor, limit),
  };
}

async function attempt<Result>(operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    throw toMongoError(error);
  }
}
