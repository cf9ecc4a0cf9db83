import { randomUUID } from 'node:crypto';
import { deadline } from '@hushryd/platform/mongo/deadline';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { type Collection, type Document, type IndexDescription, MongoClient } from 'mongodb';
import { Agent, request } from 'undici';
import { inLanes } from '../load/in-lanes.ts';
import { monotonicMs } from '../load/monotonic.ts';
import { serveCommands } from '../processes/serve-commands.ts';

/**
 * BullMQ with a job a message, and processors that make one HTTP call for each. One process adds, another one works. Nothing is stored, or what a
 * hub has to know again after a crash, in the plain way: a record before its job, that it was taken up, what came of it, a statement each.
 */
export interface BareQueue {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly records?: BareRecords | undefined;
}

export interface BareRecords {
  readonly url: string;
  readonly database: string;
  readonly collection: string;
  readonly indexes: readonly IndexDescription[];
  /** What each record is a copy of, under another id. */
  readonly asked: Document;
  /** What is set when it was sent. */
  readonly sent: Document;
}

export interface VendorCall {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly status: number;
}

const addLanes = 32;
const name = 'bare';
const writeConcern = { w: 'majority', journal: true } as const;
const writing = () => ({ writeConcern, ...deadline(30_000) });
const connect = (url: string) => new Redis(url, { maxRetriesPerRequest: null });

let queue: Queue | undefined;
let records: Collection<Document> | undefined;
let asked: Document = {};
let sent: Document = {};
let done = 0;
let failed = 0;
let lastDoneAtMs = 0;
let wanted = 0;
let onAll: (() => void) | undefined;

async function openRecords(place: BareRecords | undefined): Promise<void> {
  if (place === undefined) return;
  const client = new MongoClient(place.url, { serverSelectionTimeoutMS: 5_000 });
  records = client.db(place.database).collection(place.collection);
  await records.createIndexes([...place.indexes], deadline(30_000));
  ({ asked, sent } = place);
}

async function change(recordId: string, update: Document): Promise<void> {
  await records?.updateOne({ _id: recordId as never }, update, writing());
}

const commands = {
  async openQueue({ redisUrl, prefix, records: place }: BareQueue): Promise<void> {
    await openRecords(place);
    queue = new Queue(name, { connection: connect(redisUrl), prefix });
  },
  /** Rounds begin alike. */
  async removeRecords(): Promise<void> {
    await records?.deleteMany({}, deadline(60_000));
  },
  async add({ count }: { count: number }): Promise<void> {
    await inLanes(Array.from({ length: count }), addLanes, async () => {
      const jobId = randomUUID();
      await records?.insertOne({ ...asked, _id: jobId as never }, writing());
      await queue?.add(name, { recordId: jobId, step: 0 }, { jobId, removeOnComplete: true, removeOnFail: true });
    });
  },

  async openWorker({
    redisUrl,
    prefix,
    records: place,
    concurrency,
    call,
  }: BareQueue & { concurrency: number; call: VendorCall }): Promise<void> {
    await openRecords(place);
    const dispatcher = new Agent({ connections: 64, keepAliveTimeout: 30_000 });
    const { url, headers, body, status } = call;
    const worker = new Worker(
      name,
      async ({ data: { recordId } }) => {
        await change(recordId, {
          $set: { leaseUntil: new Date(), claim: randomUUID() },
          $inc: { fence: 1, starts: 1 },
        });
        const answer = await request(url, { method: 'POST', headers, body, dispatcher });
        await answer.body.text();
        if (answer.statusCode !== status) throw new Error(`answered ${answer.statusCode}`);
        await change(recordId, { $set: sent });
      },
      { connection: connect(redisUrl), prefix, concurrency },
    );
    const count = () => {
      lastDoneAtMs = monotonicMs();
      if (done + failed >= wanted) onAll?.();
    };
    worker.on('completed', () => {
      done += 1;
      count();
    });
    worker.on('failed', () => {
      failed += 1;
      count();
    });
    await worker.waitUntilReady();
  },
  /** @returns when the last of so many jobs had ended, on the monotonic clock @throws Error where one failed */
  async finish({ count }: { count: number }): Promise<number> {
    wanted += count;
    if (done + failed < wanted)
      await new Promise<void>((resolve) => {
        onAll = resolve;
      });
    if (failed > 0) throw new Error(`${failed} jobs failed`);
    return lastDoneAtMs;
  },
};

export type BareBullmqCommands = typeof commands;

serveCommands(commands);
