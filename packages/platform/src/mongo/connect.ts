import { setTimeout as sleep } from 'node:timers/promises';
import { type Db, MongoClient, type TopologyDescription } from 'mongodb';
import type { MongoSettings } from '../config/shared-environment.ts';
import type { Logger } from '../logging/logger.ts';
import { closeClient } from './close-client.ts';
import { deadline, toMongoError } from './deadline.ts';

export interface MongoConnection {
  readonly client: MongoClient;
  readonly db: Db;
  /** Ends within `deadlineMs`. @throws AppError `database_unavailable` */
  ping(deadlineMs: number): Promise<void>;
  close(): Promise<void>;
}

const waitForPrimaryMs = 2000;
const waitForPoolMs = 2000;
const closeWithinMs = 3000;
const connectAgainMs = 200;

/**
 * A pool of connections to MongoDB. Does not wait for the server: a service starts and reports itself unready while the database is
 * away, and its operations fail as `not_sent` after 2 s without a primary or a free connection.
 *
 * Every operation carries `...deadline(settings.deadlineMs)`; nothing else bounds it against a hung server (see deadline.ts). Writes
 * name their write concern; `majority` with journal is the net for one that forgot.
 */
export function connectMongo(input: { settings: MongoSettings; log: Logger }): MongoConnection {
  const { settings, log } = input;
  const client = new MongoClient(settings.url, {
    appName: 'hushryd',
    maxPoolSize: settings.poolSize,
    minPoolSize: settings.minPoolSize,
    waitQueueTimeoutMS: waitForPoolMs,
    serverSelectionTimeoutMS: waitForPrimaryMs,
    // Also how long the monitor waits for a hung server before it calls it gone.
    connectTimeoutMS: 2000,
    heartbeatFrequencyMS: 5000,
    writeConcern: { w: 'majority', journal: true },
    // The driver's retry hides that a first attempt was sent: with no primary for the second one it throws a bare selection error.
    // Writes carry client-made ids, so the caller retries and knows what it does.
    retryWrites: false,
  });
  logReachability(client, log);
  const stopConnecting = keepConnecting(client);
  const db = client.db(settings.database);
  return {
    client,
    db,
    ping: async (deadlineMs) => {
      try {
        await db.command({ ping: 1 }, deadline(deadlineMs));
      } catch (error) {
        throw toMongoError(error);
      }
    },
    close: () => {
      stopConnecting();
      return closeClient(client, closeWithinMs);
    },
  };
}

/**
 * Connect until it succeeds once; from then on the driver finds its way back by itself. Left to it, the first operation connects, and
 * where that fails the driver (7.9) has closed its topology for good: every later operation fails with MongoTopologyClosedError, also
 * when the server is back. `connect()` makes a new one.
 */
function keepConnecting(client: MongoClient): () => void {
  const over = new AbortController();
  const connect = async () => {
    while (!over.signal.aborted) {
      try {
        await client.connect();
        return;
      } catch {
        // Said by logReachability.
        await sleep(connectAgainMs, undefined, { ref: false });
      }
    }
  };
  void connect();
  return () => over.abort();
}

/** One line when the primary goes and one when it is back, however many operations fail in between. */
function logReachability(client: MongoClient, log: Logger): void {
  let isReachable: boolean | undefined;
  client.on('topologyDescriptionChanged', ({ newDescription }) => {
    const isNow = hasWritableServer(newDescription);
    if (isNow === isReachable || (!isNow && newDescription.error === null)) return;
    isReachable = isNow;
    if (isNow) log.info({}, 'database reachable');
    else log.warn({ err: newDescription.error }, 'database unreachable');
  });
}

function hasWritableServer(description: TopologyDescription): boolean {
  return [...description.servers.values()].some((server) => server.isWritable);
}
