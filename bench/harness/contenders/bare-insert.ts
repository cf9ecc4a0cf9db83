import { randomUUID } from 'node:crypto';
import { deadline } from '@hushryd/platform/mongo/deadline';
import { type Collection, type Document, MongoClient } from 'mongodb';
import { sendOnSchedule, sendSaturated, type TimedSends } from '../load/timed-sends.ts';
import { serveCommands } from '../processes/serve-commands.ts';

/** Documents as large as somebody else's, stored one by one with `insertOne`: a majority has each, journalled, and nothing else happens. */
const writeConcern = { w: 'majority', journal: true } as const;
const answerWithinMs = 30_000;

let collection: Collection<Document> | undefined;
let template: Document = {};

async function insertOne(): Promise<void> {
  const document = { ...template, _id: randomUUID() as never };
  await collection?.insertOne(document, { writeConcern, ...deadline(answerWithinMs) });
}

const commands = {
  /** @param input.document what each is a copy of, under another id */
  async open(input: { url: string; database: string; document: Document }): Promise<void> {
    const client = new MongoClient(input.url, { serverSelectionTimeoutMS: 5_000, maxPoolSize: 20 });
    collection = client.db(input.database).collection('bare_inserts');
    template = input.document;
    await insertOne();
  },
  insert: (input: { count: number; perSecond: number; uncounted: number }): Promise<TimedSends> =>
    sendOnSchedule(input, insertOne),
  /** @returns how many a second were stored */
  saturate: (input: { inFlight: number; seconds: number }): Promise<number> =>
    sendSaturated({ ...input, atMost: Number.POSITIVE_INFINITY }, insertOne),
};

export type BareInsertCommands = typeof commands;

serveCommands(commands);
