import { randomBytes } from 'node:crypto';
import type { Engine } from '@hushryd/platform/engines/engine';
import { findMongo, type MongoEngine } from '@hushryd/platform/engines/find-mongo';
import { findRedis } from '@hushryd/platform/engines/find-redis';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import type { Progress } from './progress.ts';
import type { Scope } from './scope.ts';

/** Redis and MongoDB, found or started when first asked for, one of each for the whole run. */
export interface Engines {
  /** A server and a prefix of its own in it; what carries the prefix is gone with the scope. `pid`: where it was started here. */
  redis(scope: Scope): Promise<{ url: string; prefix: string; pid: number | undefined }>;
  /** A server and a database of its own in it, dropped with the scope. */
  mongo(scope: Scope): Promise<{ url: string; database: string; client: MongoClient }>;
  /** Name and version of what was used. */
  readonly used: { readonly redis: string | null; readonly database: string | null };
}

const stepMs = 60_000;

export function createEngines(runScope: Scope, progress: Progress): Engines {
  let redis: Promise<Engine> | undefined;
  let mongo: Promise<MongoEngine> | undefined;
  const used: { redis: string | null; database: string | null } = { redis: null, database: null };
  const onProgress = ({ what, elapsedSeconds }: { what: string; elapsedSeconds: number }) =>
    progress(`${what} (${elapsedSeconds} s)`);

  const startRedis = async () => {
    const engine = await findRedis({ url: process.env.REDIS_URL, onProgress });
    runScope.teardown(() => engine.stop());
    used.redis = `${engine.name} ${engine.version}`;
    progress(engine.description);
    return engine;
  };
  const startMongo = async () => {
    const engine = await findMongo({ url: process.env.MONGODB_URL || process.env.MONGODB_URI, onProgress });
    runScope.teardown(() => engine.stop());
    used.database = `${engine.name} ${engine.version}`;
    progress(engine.description);
    return engine;
  };

  return {
    async redis(scope) {
      redis ??= startRedis();
      const engine = await redis;
      const prefix = `bench:${randomName()}:`;
      scope.teardown(() => (engine.source === 'url' ? removePrefix(engine.url, prefix) : empty(engine.url)));
      return { url: engine.url, prefix, pid: engine.pid };
    },
    async mongo(scope) {
      mongo ??= startMongo();
      const { url } = await mongo;
      const database = `bench-${randomName()}`;
      const client = new MongoClient(url, { appName: 'hushryd-bench', serverSelectionTimeoutMS: 5000 });
      scope.teardown(async () => {
        await client.db(database).command({ dropDatabase: 1 }, { signal: AbortSignal.timeout(stepMs) });
        await client.close();
      });
      return { url, database, client };
    },
    used,
  };
}

const randomName = (): string => randomBytes(6).toString('hex');

/** A server of our own: at once, and the memory with it. */
async function empty(url: string): Promise<void> {
  await withRedis(url, (redis) => redis.flushall('SYNC'));
}

/** Somebody's own server: nothing but what this run made. */
async function removePrefix(url: string, prefix: string): Promise<void> {
  await withRedis(url, async (redis) => {
    for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1000 }) as AsyncIterable<string[]>) {
      await Promise.all(keys.map((key) => redis.unlink(key)));
    }
  });
}

async function withRedis(url: string, work: (redis: Redis) => Promise<unknown>): Promise<void> {
  const redis = new Redis(url, { commandTimeout: stepMs });
  try {
    await work(redis);
  } finally {
    redis.disconnect();
  }
}
