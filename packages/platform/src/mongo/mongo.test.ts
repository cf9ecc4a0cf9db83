import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { type Db, MongoClient } from 'mongodb';
import t, { type Test } from 'tap';
import { AppError } from '../errors/app-error.ts';
import type { Logger } from '../logging/logger.ts';
import { ownMongo, testMongo } from '../testing/engines.ts';
import { startFaultProxy } from '../testing/fault-proxy.ts';
import { waitFor, within } from '../testing/wait-for.ts';
import { closeClient } from './close-client.ts';
import type { CollectionDeclaration } from './collection-declaration.ts';
import { connectMongo } from './connect.ts';
import { deadline, isDuplicateKey, mongoOutcome, toMongoError } from './deadline.ts';
import { CollectionDriftError, ensureCollections } from './ensure-collections.ts';

const here = dirname(fileURLToPath(import.meta.url));

t.test('against a hung server every kind of call ends at its own deadline, and the outcome is unknown', async (t) => {
  const engine = await ownMongo(t);
  const { db, ping, lines } = connect(t, engine.url);
  const fixes = db.collection<{ _id: number }>('fixes');
  await fixes.insertOne({ _id: 0 }, deadline(5000));
  await waitFor(() => lines.includes('database reachable'), { withinMs: 5000, what: 'the log line' });
  engine.faults.pause();

  const calls: Record<string, () => Promise<unknown>> = {
    insertOne: () => fixes.insertOne({ _id: 1 }, deadline(400)),
    insertMany: () => fixes.insertMany([{ _id: 2 }, { _id: 3 }], { ordered: false, ...deadline(400) }),
    updateOne: () => fixes.updateOne({ _id: 0 }, { $set: { a: 1 } }, { upsert: true, ...deadline(400) }),
    findOneAndUpdate: () => fixes.findOneAndUpdate({ _id: 0 }, { $set: { a: 1 } }, deadline(400)),
    bulkWrite: () => fixes.bulkWrite([{ deleteOne: { filter: { _id: 9 } } }], deadline(400)),
    findOne: () => fixes.findOne({ _id: 0 }, deadline(400)),
    find: () => fixes.find({}, deadline(400)).toArray(),
    aggregate: () => fixes.aggregate([{ $match: {} }], deadline(400)).toArray(),
    countDocuments: () => fixes.countDocuments({}, deadline(400)),
    ping: () => ping(400),
  };
  for (const [name, call] of Object.entries(calls)) {
    const error = await within(failure(call()), { withinMs: 5000, what: `the end of ${name}` });
    // The first calls go out on the open connections; later ones wait for a connection that the hung server does not greet.
    t.match(mongoOutcome(error), name === 'insertOne' ? 'unknown' : /unknown|not_sent/, name);
    t.match(toMongoError(error), { code: 'database_unavailable', retryable: true, detail: mongoOutcome(error) });
  }
  await within(failure(ping(100)), { withinMs: 2000, what: 'the end of ping' });

  engine.faults.resume();
  t.ok(await waitFor(() => fixes.findOne({ _id: 0 }, deadline(2000)), { withinMs: 20_000, what: 'the pool to heal' }));
});

t.test('a process that starts while the server hangs finds it later', async (t) => {
  const engine = await ownMongo(t);
  engine.faults.pause();
  const { db } = connect(t, engine.url);
  const fixes = db.collection<{ _id: number }>('fixes');
  // Long enough for the driver to give up its first connection, and with it, left alone, all later operations.
  const first = await failure(fixes.insertOne({ _id: 1 }, deadline(4000)));
  t.match(toMongoError(first), { code: 'database_unavailable' });

  engine.faults.resume();

  const found = () => fixes.insertOne({ _id: 2 }, deadline(1000)).then(() => true);
  t.ok(await waitFor(found, { withinMs: 20_000, what: 'a write that succeeds' }));
});

t.test('closing is bounded when the server hangs and no connection is left to say goodbye on', async (t) => {
  const engine = await ownMongo(t);
  const client = new MongoClient(engine.url, { maxPoolSize: 1, serverSelectionTimeoutMS: 1000 });
  const admin = client.db('admin');
  await admin.command({ ping: 1 }, deadline(5000));
  engine.faults.pause();
  t.equal(mongoOutcome(await failure(admin.command({ ping: 1 }, deadline(100)))), 'unknown');

  await within(closeClient(client, 500), { withinMs: 5000, what: 'the end of close' });

  engine.faults.resume();
});

t.test('what never reached the server is not_sent: no server, no free connection', async (t) => {
  const nobody = connect(t, 'mongodb://127.0.0.1:1/');
  const noServer = await failure(nobody.db.collection('x').findOne({}, deadline(20_000)));
  t.equal(mongoOutcome(noServer), 'not_sent');
  t.match(toMongoError(noServer), { code: 'database_unavailable', detail: 'not_sent' });

  const { url } = await testMongo(t);
  const proxy = await startFaultProxy(t, { port: Number(new URL(url).port) });
  const narrow = new MongoClient(`mongodb://127.0.0.1:${proxy.port}/?directConnection=true`, {
    maxPoolSize: 1,
    waitQueueTimeoutMS: 100,
  });
  t.teardown(() => closeClient(narrow, 1000));
  const admin = narrow.db('admin');
  await admin.command({ ping: 1 }, deadline(5000));
  proxy.setFaults({ toServer: { delayMs: 1000 } });
  const first = admin.command({ ping: 1 }, deadline(5000));
  const second = await failure(admin.command({ ping: 1 }, deadline(5000)));
  t.equal(mongoOutcome(second), 'not_sent');
  await first;
});

t.test('an answer that got lost is unknown, and the same id again tells that it was applied', async (t) => {
  const { url, database } = await testMongo(t);
  const proxy = await startFaultProxy(t, { port: Number(new URL(url).port) });
  const client = new MongoClient(`mongodb://127.0.0.1:${proxy.port}/?directConnection=true&retryWrites=false`);
  t.teardown(() => closeClient(client, 1000));
  const trips = client.db(database).collection<{ _id: string }>('trips');
  await trips.countDocuments({}, deadline(5000));
  const isInsert = (chunk: Buffer) => chunk.includes('insert');

  const cut = proxy.cutNext({ when: 'after', fits: isInsert });
  const lost = await failure(trips.insertOne({ _id: 'lost-answer' }, deadline(5000)));
  await within(cut, { withinMs: 5000, what: 'the cut' });
  const again = await failure(trips.insertOne({ _id: 'lost-answer' }, deadline(5000)));

  t.equal(mongoOutcome(lost), 'unknown');
  t.ok(isDuplicateKey(again));
  t.equal(mongoOutcome(again), 'answered');
  t.equal(toMongoError(again), again, 'an answer stays what it is');

  const cutBefore = proxy.cutNext({ when: 'before', fits: isInsert });
  const never = await failure(trips.insertOne({ _id: 'never-arrived' }, deadline(5000)));
  await within(cutBefore, { withinMs: 5000, what: 'the cut' });
  t.equal(mongoOutcome(never), 'unknown', 'the client cannot tell the two apart');
  t.equal(await trips.countDocuments({}, deadline(5000)), 1);
});

t.test('acknowledged writes survive kill -9', async (t) => {
  const engine = await ownMongo(t);
  const { db } = connect(t, engine.url);
  const acknowledged: number[] = [];
  const writer = (async () => {
    for (let id = 0; ; id += 1) {
      await db
        .collection<{ _id: number }>('fixes')
        .insertOne({ _id: id }, { writeConcern: { w: 'majority', j: true }, ...deadline(2000) });
      acknowledged.push(id);
    }
  })().catch(toMongoError);
  await waitFor(() => acknowledged.length > 100, { withinMs: 20_000, what: 'the hundredth write' });

  await engine.faults.kill9();
  t.match(await writer, { code: 'database_unavailable' });
  await engine.faults.restart();

  const ids = await waitFor(
    async () =>
      (await db.collection<{ _id: number }>('fixes').find({}, deadline(2000)).toArray()).map(({ _id }) => _id),
    { withinMs: 20_000, what: 'the stored ids' },
  );
  t.same(
    acknowledged.filter((id) => !ids.includes(id)),
    [],
  );
});

const history: CollectionDeclaration = {
  name: 'history',
  timeseries: { timeField: 'ts', metaField: 'meta', granularity: 'seconds' },
  options: { expireAfterSeconds: 86_400 },
  indexes: [{ key: { 'meta.tripId': 1, ts: 1 }, name: 'trip_time' }],
};
const trips: CollectionDeclaration = {
  name: 'trips',
  indexes: [
    { key: { driverId: 1 }, name: 'one_active', unique: true, partialFilterExpression: { state: 'active' } },
    { key: { goneAt: 1 }, expireAfterSeconds: 0 },
    { key: { origin: '2dsphere' } },
  ],
};

t.test(
  'collections are created with their time series, TTL and indexes, and a second run changes nothing',
  async (t) => {
    const { db } = await testMongo(t);

    await ensureCollections(db, [history, trips]);
    await ensureCollections(db, [history, trips]);

    const [found] = await db.listCollections({ name: 'history' }, deadline(5000)).toArray();
    t.match(found, { options: { expireAfterSeconds: 86_400, timeseries: { timeField: 'ts', metaField: 'meta' } } });
    t.match((await db.collection('trips').indexes(deadline(5000))).map(({ name }) => name).sort(), [
      '_id_',
      'goneAt_1',
      'one_active',
      'origin_2dsphere',
    ]);
    await db.collection('trips').insertMany(
      [
        { driverId: 'a', state: 'active' },
        { driverId: 'a', state: 'ended' },
      ],
      deadline(5000),
    );
    t.ok(
      isDuplicateKey(
        await failure(db.collection('trips').insertOne({ driverId: 'a', state: 'active' }, deadline(5000))),
      ),
    );
  },
);

t.test('a difference is an error that names collection and option, and nothing is changed', async (t) => {
  const { db } = await testMongo(t);
  await ensureCollections(db, [history, trips]);
  const [unique, ttl, geo] = trips.indexes;

  const drifts: [CollectionDeclaration, RegExp][] = [
    [
      { ...history, options: { expireAfterSeconds: 60 } },
      /^Collection history: option expireAfterSeconds is 86400 in the database and 60 in the code\.$/,
    ],
    [{ ...history, options: {} }, /^Collection history: option expireAfterSeconds is 86400 in the database and absent/],
    [
      { ...history, timeseries: { timeField: 'at' } },
      /^Collection history: option timeseries is .*"ts".* in the database and .*"at"/,
    ],
    [{ name: 'history', indexes: [] }, /^Collection history: option timeseries is .* in the database and absent/],
    [
      { name: 'trips', timeseries: { timeField: 'ts' }, indexes: [] },
      /^Collection trips: option timeseries is absent in the database/,
    ],
    [
      { name: 'trips', indexes: [{ ...ttl!, expireAfterSeconds: 5 }] },
      /^Collection trips: index goneAt_1, option expireAfterSeconds is 0 in the database and 5/,
    ],
    [
      { name: 'trips', indexes: [{ ...unique!, unique: false }] },
      /^Collection trips: index one_active, option unique is true in the database and false/,
    ],
    [
      { name: 'trips', indexes: [{ ...geo!, name: 'one_active' }] },
      /^Collection trips: index one_active, its key is \{"driverId":1\}/,
    ],
    [
      { name: 'trips', indexes: [{ ...ttl!, name: 'other' }] },
      /^Collection trips: index other conflicts with one that is there/,
    ],
  ];
  for (const [declaration, sentence] of drifts) {
    const error = await failure(ensureCollections(db, [declaration]));
    t.type(error, CollectionDriftError);
    t.match((error as CollectionDriftError).differences?.[0], sentence);
  }
  const both = await failure(ensureCollections(db, [drifts[0]![0], drifts[5]![0]]));
  t.equal((both as CollectionDriftError).differences.length, 2, 'every difference is told at once');
  await ensureCollections(db, [history, trips]);
});

t.test('any declarations, ensured by several processes at once and again, raise no error', async (t) => {
  const { client, database, url } = await testMongo(t);
  const databases = new Set<string>();
  t.teardown(async () => {
    for (const name of databases) await client.db(name).dropDatabase({ ...deadline(5000) });
  });
  const declaration = fc.record({
    name: fc.constantFrom('a', 'b', 'c'),
    timeseries: fc.option(fc.constant({ timeField: 'ts', metaField: 'meta' }), { nil: undefined }),
    expireAfterSeconds: fc.integer({ min: 1, max: 10_000 }),
    fields: fc.uniqueArray(fc.constantFrom('x', 'y', 'meta.z'), { maxLength: 3 }),
    kind: fc.constantFrom(1 as const, -1 as const, '2dsphere' as const),
  });
  let round = 0;
  const property = fc.asyncProperty(fc.uniqueArray(declaration, { selector: ({ name }) => name }), async (drawn) => {
    const declarations = drawn.map(({ name, timeseries, expireAfterSeconds, fields, kind }) => ({
      name,
      ...(timeseries && { timeseries, options: { expireAfterSeconds } }),
      indexes: fields.map((field) => ({ key: { [field]: kind } })),
    }));
    round += 1;
    const db: Db = client.db(`${database}-${round}`);
    databases.add(db.databaseName);

    await Promise.all([1, 2, 3].map(() => ensureCollections(db, declarations)));
    await ensureCollections(db, declarations);
  });
  await fc.assert(property, { numRuns: 25, ...seed(t) });

  const main = join(here, '../../test/fixtures/ensure-collections.ts');
  const args = [
    '--import=tsx',
    '--conditions=@hushryd/source',
    main,
    url,
    `${database}-processes`,
    JSON.stringify([history, trips]),
  ];
  databases.add(`${database}-processes`);
  const runs = await Promise.all([1, 2].map(() => promisify(execFile)(process.execPath, args)));
  t.same(
    runs.map(({ stdout }) => stdout.trim()),
    ['ensured', 'ensured'],
  );
});

function connect(t: Test, url: string) {
  const lines: string[] = [];
  const note = (_: unknown, message: string) => void lines.push(message);
  const log = { info: note, warn: note } as unknown as Logger;
  const settings = { url, database: 'hushryd', poolSize: 20, minPoolSize: 1, deadlineMs: 5000 };
  const connection = connectMongo({ settings, log });
  t.teardown(() => connection.close());
  return { ...connection, lines };
}

function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => new AppError('internal', { detail: 'it should have failed' }),
    (error: unknown) => error,
  );
}

/** A fresh seed each run, printed, so that a failure can be repeated with FC_SEED. */
function seed(t: Test): { seed: number } {
  const value = Number(process.env.FC_SEED ?? Date.now() % 2_147_483_647);
  t.comment(`fast-check seed ${value}`);
  return { seed: value };
}
