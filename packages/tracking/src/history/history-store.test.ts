import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { testMongo } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { createHistoryStore, declareLocationHistory } from './history-store.ts';
import { toRoadSegment } from './road-segments.ts';
import type { HistoryDocument } from './to-history-document.ts';

const { db, engine } = await testMongo(t);
await ensureCollections(db, [declareLocationHistory({ ttlDays: 90 })]);
const store = createHistoryStore({ db, deadlineMs: 10_000 });

const fixAt = (seq: number, changes: Partial<HistoryDocument> = {}): HistoryDocument => ({
  ts: new Date(Date.now() - 60_000 + seq * 1000),
  meta: { driverId: 'driver', tripId: 'trip' },
  run: 1,
  seq,
  lat: 41 + seq / 1000,
  lng: -8,
  receivedAt: new Date(),
  live: true,
  ...changes,
});

t.test('location_history is a time series that says when it forgets', async (t) => {
  const [found] = await db.listCollections({ name: 'location_history' }).toArray();
  const options = found && 'options' in found ? found.options : undefined;
  t.equal(options?.expireAfterSeconds, 90 * 86_400);
  t.match(options?.timeseries, { timeField: 'ts', metaField: 'meta' });
});

t.test(
  'a fix older than the TTL is gone',
  { skip: !engine.expiresTimeSeries && `${engine.name} keeps old time-series documents; name a mongod in MONGODB_URL` },
  async (t) => {
    await store.insert([
      fixAt(1, { ts: new Date(Date.now() - 91 * 86_400_000), meta: { driverId: 'old', tripId: 'old' } }),
    ]);
    // mongod looks once a minute.
    await waitFor(async () => (await store.readTrip({ tripId: 'old', limit: 1 })).fixes.length === 0, {
      withinMs: 100_000,
      what: 'the expiry',
    });
    t.pass('it is gone');
  },
);

t.test('a trip is read in order, each fix once, also where one was stored three times across pages', async (t) => {
  const fixes = [1, 2, 3, 4, 5].map((seq) => fixAt(seq));
  await store.insert([...fixes].reverse());
  await store.insert([fixes[1], fixes[1], fixes[2]] as HistoryDocument[]);
  await store.insert([fixAt(1, { meta: { driverId: 'driver', tripId: 'another' } })]);

  const read: number[] = [];
  let page = await store.readTrip({ tripId: 'trip', limit: 2 });
  read.push(...page.fixes.map(({ seq }) => seq));
  while (page.hasMore) {
    const last = page.fixes.at(-1) as HistoryDocument;
    const after = { tsMs: last.ts.getTime(), run: last.run, seq: last.seq };
    page = await store.readTrip({ tripId: 'trip', limit: 2, after });
    read.push(...page.fixes.map(({ seq }) => seq));
  }
  t.strictSame(read, [1, 2, 3, 4, 5]);
});

t.test('a road segment is the same either way, and knows nothing of who drove when', async (t) => {
  const there = toRoadSegment(fixAt(1), fixAt(2));
  const back = toRoadSegment(fixAt(1, { lat: 41.002 }), fixAt(2, { lat: 41.001 }));
  t.strictSame(there, {
    id: '410010,-80000;410020,-80000',
    ends: [
      [-8, 41.001],
      [-8, 41.002],
    ],
  });
  t.strictSame(back, there);

  const nothing: [string, HistoryDocument][] = [
    ['another trip', fixAt(2, { meta: { driverId: 'driver', tripId: 'another' } })],
    ['another run', fixAt(2, { run: 2 })],
    ['the same place', fixAt(2, { lat: 41.00101 })],
    ['too far', fixAt(2, { lat: 41.02 })],
    ['too late', fixAt(2, { ts: new Date(Date.now() + 60_000) })],
    ['earlier', fixAt(2, { ts: new Date(Date.now() - 120_000) })],
  ];
  for (const [what, fix] of nothing) t.equal(toRoadSegment(fixAt(1), fix), undefined, what);
});
