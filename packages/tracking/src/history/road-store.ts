import type { CollectionDeclaration } from '@hushryd/platform/mongo/collection-declaration';
import { deadline, toMongoError } from '@hushryd/platform/mongo/deadline';
import type { AnyBulkWriteOperation, Db } from 'mongodb';
import type { RoadSegment } from './road-segments.ts';

interface RoadDocument {
  _id: string;
  line: { type: 'LineString'; coordinates: [number, number][] };
  middle: { type: 'Point'; coordinates: [number, number] };
  passes: number;
  /** Midnight of the last day it was driven: enough to forget it, too little to say when somebody drove there. */
  lastDay: Date;
}

/** Degrees; west may lie above east only where a box crosses the antimeridian, which is not supported. */
export interface BoundingBox {
  west: number;
  south: number;
  east: number;
  north: number;
}

export interface Road {
  coordinates: [number, number][];
  passes: number;
}

const collectionName = 'roads';
const dayMs = 86_400_000;

/** `roads`: travelled segments without driver, trip or time; forgotten after `ttlDays` without traffic. */
export function declareRoads({ ttlDays }: { ttlDays: number }): CollectionDeclaration {
  return {
    name: collectionName,
    indexes: [
      { key: { middle: '2dsphere', passes: -1 }, name: 'middle_passes' },
      { key: { lastDay: 1 }, name: 'forget', expireAfterSeconds: ttlDays * 86_400 },
    ],
  };
}

export interface RoadStore {
  /** Count passes. Not exact on purpose: derived from history, it may lose or repeat what a crash cut off. */
  add(passes: ReadonlyMap<string, { segment: RoadSegment; count: number }>, nowMs: number): Promise<void>;
  /** Segments whose middle lies in the box, busiest first, at most `limit`. */
  read(box: BoundingBox & { limit: number }): Promise<Road[]>;
}

/** @throws AppError `database_unavailable`. Cost: one unordered bulkWrite; one indexed find. */
export function createRoadStore({ db, deadlineMs }: { db: Db; deadlineMs: number }): RoadStore {
  const collection = db.collection<RoadDocument>(collectionName);

  return {
    async add(passes, nowMs) {
      if (passes.size === 0) return;
      const lastDay = new Date(Math.floor(nowMs / dayMs) * dayMs);
      const operations = [...passes.values()].map(({ segment, count }) => toUpsert(segment, count, lastDay));
      try {
        await collection.bulkWrite(operations, { ordered: false, writeConcern: { w: 1 }, ...deadline(deadlineMs) });
      } catch (error) {
        throw toMongoError(error);
      }
    },

    async read({ west, south, east, north, limit }) {
      try {
        const found = await collection
          .find(
            { middle: { $geoWithin: { $geometry: toPolygon({ west, south, east, north }) } } },
            { sort: { passes: -1 }, limit, projection: { line: 1, passes: 1 }, ...deadline(deadlineMs) },
          )
          .toArray();
        return found.map(({ line, passes }) => ({ coordinates: line.coordinates, passes }));
      } catch (error) {
        throw toMongoError(error);
      }
    },
  };
}

function toUpsert({ id, ends }: RoadSegment, count: number, lastDay: Date): AnyBulkWriteOperation<RoadDocument> {
  const [[fromLng, fromLat], [toLng, toLat]] = ends;
  return {
    updateOne: {
      filter: { _id: id },
      update: {
        $inc: { passes: count },
        $max: { lastDay },
        $setOnInsert: {
          line: { type: 'LineString', coordinates: ends },
          middle: { type: 'Point', coordinates: [(fromLng + toLng) / 2, (fromLat + toLat) / 2] },
        },
      },
      upsert: true,
    },
  };
}

function toPolygon({ west, south, east, north }: BoundingBox) {
  const ring = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
  return { type: 'Polygon', coordinates: [ring] };
}
