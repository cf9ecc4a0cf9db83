import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { type Db, MongoClient } from 'mongodb';
import type { Engine } from '../engines/engine.ts';
import { findMongo, type MongoEngine } from '../engines/find-mongo.ts';
import { findRedis } from '../engines/find-redis.ts';
import { closeClient } from '../mongo/close-client.ts';
import { deadline } from '../mongo/deadline.ts';

/** The one thing asked of a test: a place to register what happens at its end. tap's `t` is one. */
export interface TestScope {
  teardown(work: () => unknown): unknown;
}

export interface TestRedis {
  readonly engine: Engine;
  readonly url: string;
  /** Begins every key and channel of this test; what carries it is gone at the end. */
  readonly prefix: string;
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
 * A Redis for one test: the server of REDIS_URL, which the test runner starts once for all files, or one of its own.
 * Either way the test keeps to a random prefix.
 */
export async function testRedis(t: TestScope): Promise<TestRedis> {
  const engine = await findRedis({ url: process.env.REDIS_URL });
  const prefix = `test:${randomName()}:`;
  t.teardown(async () => {
    if (engine.source === 'url') await deletePrefix(engine.url, prefix);
    await engine.stop();
  });
  return { engine, url: engine.url, prefix };
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
async function deletePrefix(url: string, prefix: string): Promise<void> {
  const redis = new Redis(url);
  try {
    for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 500 }) as AsyncIterable<string[]>) {
      if (keys.length > 0) await Promise.all(keys.map((key) => redis.unlink(key)));
    }
  } finally {
    redis.disconnect();
  }
}
