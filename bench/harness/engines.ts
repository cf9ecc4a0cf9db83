import { randomBytes } from 'node:crypto';
import type { Engine, EngineFaults } from '@hushryd/platform/engines/engine';
import { findMongo, type MongoEngine } from '@hushryd/platform/engines/find-mongo';
import { findRedis } from '@hushryd/platform/engines/find-redis';
import { createKeys } from '@hushryd/platform/redis/keys';
import { markFilled } from '@hushryd/platform/redis/layout';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import type { Progress } from './progress.ts';
import type { Scope } from './scope.ts';

/** A server, a database of one scenario in it, and a client. */
export interface BenchMongo {
  readonly url: string;
  readonly database: string;
  readonly client: MongoClient;
}

/** One that may be hung. */
export interface OwnMongo extends BenchMongo {
  readonly faults: EngineFaults;
}

/** Redis and MongoDB, found or started when first asked for, one of each for the whole run. */
export interface Engines {
  /** A server and a prefix of its own in it; what carries the prefix is gone with the scope. `pid`: where it was started here. */
  redis(scope: Scope): Promise<{ url: string; prefix: string; pid: number | undefined }>;
  /** A server and a database of its own in it, dropped with the scope. */
  mongo(scope: Scope): Promise<BenchMongo>;
  /** The same, where what is acknowledged as journalled lies on the disk: the embedded engine does that only if it is told to. */
  syncedMongo(scope: Scope): Promise<BenchMongo>;
  /** A synced one that ends with the scope and was started here, whatever a URL names. */
  ownMongo(scope: Scope): Promise<OwnMongo>;
  /** Name and version of what was used. */
  readonly used: { readonly redis: string | null; readonly database: string | null };
}

const stepMs = 60_000;
/** The default of `REDIS_PARTITIONS`, which no scenario changes. */
const partitions = 16;

export function createEngines(runScope: Scope, progress: Progress): Engines {
  let redis: Promise<Engine> | undefined;
  const mongos = new Map<'any' | 'synced', Promise<MongoEngine>>();
  const mongoUrl = process.env.MONGODB_URL || process.env.MONGODB_URI;
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
  const startMongo = async (ends: Scope, options: { url?: string | undefined; syncOnCommit?: boolean }) => {
    const engine = await findMongo({ ...options, onProgress });
    ends.teardown(() => engine.stop());
    used.database = `${engine.name} ${engine.version}`;
    progress(engine.description);
    return engine;
  };
  const sharedMongo = (kind: 'any' | 'synced') => {
    const started = mongos.get(kind) ?? startMongo(runScope, { url: mongoUrl, syncOnCommit: kind === 'synced' });
    mongos.set(kind, started);
    return started;
  };

  return {
    async redis(scope) {
      redis ??= startRedis();
      const engine = await redis;
      const prefix = `bench:${randomName()}:`;
      scope.teardown(() => (engine.source === 'url' ? removePrefix(engine.url, prefix) : empty(engine.url)));
      // Not every scenario has a worker to do so, or an api to ask instead.
      await withRedis(engine.url, (client) => markFilled({ redis: client, keys: createKeys({ prefix, partitions }) }));
      return { url: engine.url, prefix, pid: engine.pid };
    },
    mongo: async (scope) => openDatabase(scope, await sharedMongo('any')),
    syncedMongo: async (scope) => openDatabase(scope, await sharedMongo('synced')),
    async ownMongo(scope) {
      const engine = await startMongo(scope, { syncOnCommit: true });
      if (engine.faults === undefined) throw new Error(`${engine.description} was not started here`);
      return { ...openDatabase(scope, engine), faults: engine.faults };
    },
    used,
  };
}

function openDatabase(scope: Scope, { url }: MongoEngine): BenchMongo {
  const database = `bench-${randomName()}`;
  const client = new MongoClient(url, { appName: 'hushryd-bench', serverSelectionTimeoutMS: 5000 });
  scope.teardown(async () => {
    await client.db(database).command({ dropDatabase: 1 }, { signal: AbortSignal.timeout(stepMs) });
    await client.close();
  });
  return { url, database, client };
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
