import { randomBytes } from 'node:crypto';
import { type Db, MongoClient } from 'mongodb';
import type { RedisSettings } from '../config/shared-environment.ts';
import type { Engine } from '../engines/engine.ts';
import { findMongo, type MongoEngine } from '../engines/find-mongo.ts';
import { findRedis } from '../engines/find-redis.ts';
import type { RedisTopology } from '../engines/redis-topology.ts';
import { startCluster } from '../engines/start-cluster.ts';
import { type SentinelTopology, startSentinels } from '../engines/start-sentinels.ts';
import { createLogger } from '../logging/create-logger.ts';
import { closeClient } from '../mongo/close-client.ts';
import { deadline } from '../mongo/deadline.ts';
import { connectRedis } from '../redis/connect.ts';
import { areSeveralServers, listKeys, pickRedisVariables, type RedisVariables, toSettings } from './redis-variables.ts';

/** The one thing asked of a test: a place to register what happens at its end. tap's `t` is one. */
export interface TestScope {
  teardown(work: () => unknown): unknown;
}

export interface TestRedis {
  readonly engine: Engine;
  readonly url: string;
  /** Begins every key and channel of this test; what carries it is gone at the end. */
  readonly prefix: string;
  /** By which a service finds it, the prefix among them. */
  readonly variables: RedisVariables;
  /** For connections of the test's own. */
  settings(own?: { partitions?: number; commandTimeoutMs?: number }): RedisSettings;
}

export interface TestMongo {
  readonly engine: MongoEngine;
  readonly url: string;
  /** A database of this test alone, dropped at the end. */
  readonly database: string;
  readonly client: MongoClient;
  readonly db: Db;
}

/** An engine started for one test, with faults to inject. */
export type OwnEngine<E extends Engine = Engine> = E & { readonly faults: NonNullable<E['faults']> };

/**
 * A Redis for one test: the one of REDIS_URL, which the test runner starts once for all files, or a server of its own. A cluster
 * where REDIS_CLUSTER_MODE says so, behind sentinels where REDIS_SENTINELS are named. Either way the test keeps to a random prefix.
 */
export async function testRedis(t: TestScope): Promise<TestRedis> {
  const named = pickRedisVariables(process.env);
  const engine = areSeveralServers(named) ? severalServers(named) : await findRedis({ url: named.REDIS_URL });
  const prefix = `test:${randomName()}:`;
  const variables = { ...named, REDIS_URL: engine.url, REDIS_PREFIX: prefix };
  t.teardown(async () => {
    if (engine.source === 'url') await deletePrefix(toSettings(variables, {}));
    await engine.stop();
  });
  return { engine, url: engine.url, prefix, variables, settings: (own = {}) => toSettings(variables, own) };
}

/** What a URL names is somebody else's, also where it is several servers. */
function severalServers({ REDIS_URL: url = '' }: RedisVariables): Engine {
  const kept = { source: 'url', stop: async () => undefined } as const;
  return { ...kept, url, name: 'Redis', version: 'unknown', description: `several Redis servers, such as ${url}` };
}

/** A MongoDB for one test: the server of MONGODB_URL or MONGODB_URI, or one of its own; a random database on it, and a client. */
export async function testMongo(t: TestScope): Promise<TestMongo> {
  const engine = await findMongo({ url: process.env.MONGODB_URL || process.env.MONGODB_URI });
  const database = `test-${randomName()}`;
  const client = new MongoClient(engine.url, { serverSelectionTimeoutMS: 5000, appName: 'hushryd-test' });
  const db = client.db(database);
  t.teardown(async () => {
    if (engine.source === 'url') await db.dropDatabase({ ...deadline(10_000) });
    await closeClient(client, 2000);
    await engine.stop();
  });
  return { engine, url: engine.url, database, client, db };
}

/** A Redis of the test's own, synced on commit, for tests that kill, hang or restart it. Never one that a URL names. */
export async function ownRedis(t: TestScope): Promise<OwnEngine> {
  return own(t, await findRedis({ syncOnCommit: true }));
}

/** A cluster of three primaries and three replicas for tests that kill or hang them. */
export async function ownCluster(t: TestScope): Promise<RedisTopology> {
  const cluster = await startCluster();
  t.teardown(() => cluster.stop());
  return cluster;
}

/** A primary and a replica behind three sentinels, for the same. */
export async function ownSentinels(t: TestScope): Promise<SentinelTopology> {
  const sentinels = await startSentinels();
  t.teardown(() => sentinels.stop());
  return sentinels;
}

/** A MongoDB of the test's own, synced on commit, for tests that kill, hang or restart it. Never one that a URL names. */
export async function ownMongo(t: TestScope): Promise<OwnEngine<MongoEngine>> {
  return own(t, await findMongo({ syncOnCommit: true }));
}

function own<E extends Engine>(t: TestScope, engine: E): OwnEngine<E> {
  t.teardown(() => engine.stop());
  if (!engine.faults) throw new Error(`${engine.description} was not started here, so no fault may be injected`);
  return engine as OwnEngine<E>;
}

function randomName(): string {
  return randomBytes(6).toString('hex');
}

/** Empties only what this test made; the server may be somebody's own. */
async function deletePrefix(settings: RedisSettings): Promise<void> {
  const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
  const redis = await connectRedis({ settings: { ...settings, commandTimeoutMs: 5000 }, role: 'cache', log });
  try {
    const keys = await listKeys(redis.commands, settings.prefix);
    await Promise.all(keys.map((key) => redis.commands.unlink(key)));
  } finally {
    await redis.close();
  }
}
