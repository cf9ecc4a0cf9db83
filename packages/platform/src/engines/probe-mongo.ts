import { type Document, MongoClient, MongoServerError } from 'mongodb';
import { closeClient } from '../mongo/close-client.ts';

export interface MongoAnswer {
  readonly isPrimary: boolean;
  /** Name of the replica set, absent on a standalone server. */
  readonly replicaSet?: string | undefined;
  readonly name: 'MongoDB' | 'SecantusDB';
  readonly version: string;
}

const withinMs = 5000;

/**
 * Asks a server who it is. Rejects when nobody answers within 5 s.
 * The signal is what bounds a hung server: no timeout option of driver 7.9 does (docs/decisions/0002-pinned-versions.md).
 */
export async function probeMongo(url: string): Promise<MongoAnswer> {
  return withAdmin(url, async (command) => {
    const hello = await command({ hello: 1 });
    const build = await command({ buildInfo: 1 });
    const secantus: unknown = build.secantusVersion;
    return {
      isPrimary: hello.isWritablePrimary === true,
      replicaSet: hello.setName,
      name: secantus ? 'SecantusDB' : 'MongoDB',
      version: String(secantus ?? build.version),
    };
  });
}

/**
 * Makes a just started `mongod --replSet` the primary of a set of one, and says whether it is by now. An earlier run's
 * configuration names that run's port, so it is rewritten by force: there is no other member to agree with.
 */
export async function makePrimaryOfOne(input: { port: number; replicaSet: string }): Promise<boolean> {
  const host = `127.0.0.1:${input.port}`;
  const config = { _id: input.replicaSet, version: 1, members: [{ _id: 0, host }] };
  return withAdmin(`mongodb://${host}/?directConnection=true`, async (command) => {
    if ((await command({ hello: 1 })).isWritablePrimary) return true;
    try {
      const current = (await command({ replSetGetConfig: 1 })).config as typeof config;
      if (current.members[0]?.host !== host) {
        await command({ replSetReconfig: { ...config, version: current.version + 1 }, force: true });
      }
    } catch (error) {
      if (!isNotYetInitialized(error)) throw error;
      await command({ replSetInitiate: config });
    }
    return false;
  });
}

function isNotYetInitialized(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === 94;
}

async function withAdmin<T>(
  url: string,
  work: (command: (body: Document) => Promise<Document>) => Promise<T>,
): Promise<T> {
  const client = new MongoClient(url, {
    serverSelectionTimeoutMS: withinMs,
    maxPoolSize: 1,
    appName: 'hushryd-engines',
  });
  const admin = client.db('admin');
  try {
    return await work((body) => admin.command(body, { signal: AbortSignal.timeout(withinMs) }));
  } finally {
    await closeClient(client, 1000);
  }
}
