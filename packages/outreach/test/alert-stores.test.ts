import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { testMongo } from '@hushryd/platform/testing/engines';
import { type Db, MongoClient } from 'mongodb';
import t from 'tap';
import { type AlertDocument, alertsCollection } from '../src/alerts/alert-document.ts';
import { createAlertStore } from '../src/alerts/alert-store.ts';
import { planOutbox } from '../src/alerts/plan-outbox.ts';
import type { TriggerRecord } from '../src/alerts/trigger-record.ts';
import { type AlertAttemptDocument, alertAttemptsCollection } from '../src/dispatch/alert-attempts.ts';
import { createDispatchStore } from '../src/dispatch/dispatch-store.ts';
import type { Outcome } from '../src/dispatch/entry-change.ts';
import { uuidV7 } from '../src/drills/uuid-v7.ts';

// Each write of an alert is an update and a read after it: what is decided by the one, and what the other may see of others.

const mongo = await testMongo(t);
await ensureCollections(mongo.db, [alertsCollection, alertAttemptsCollection]);
const alerts = mongo.db.collection<AlertDocument>('alerts');
const settings = { leaseMs: 20_000, escalateEveryMs: 60_000 };
const store = createAlertStore({ db: mongo.db, deadlineMs: 10_000 });
const openDispatch = (db: Db = mongo.db) => createDispatchStore({ db, settings, deadlineMs: 10_000 });
const dispatch = openDispatch();

function press(userId = `rider-${uuidV7()}`): TriggerRecord {
  const alertId = uuidV7();
  const acceptedAt = new Date().toISOString();
  return {
    ...{ triggerId: alertId, userId, role: 'rider', region: 'test', acceptedAt, via: 'https', isTokenExpired: false },
    ...{ trigger: { alertId, triggeredAt: acceptedAt }, outbox: planOutbox(undefined), contacts: [] },
  };
}

const raise = async () => (await store.accept(press())).alert;
const read = async (alertId: string) => (await alerts.findOne({ _id: alertId })) as AlertDocument;
const outcome = (entryId: string, fence: number, changes: Partial<Outcome> = {}): Outcome => ({
  ...{ kind: 'outcome', entryId, fence, attempts: 1, addTries: [], state: 'ACCEPTED', dueInMs: null, ...changes },
});

/** The same database, in which something happens between an update and the read after it. */
function dbWith(beforeRead: () => Promise<unknown>): Db {
  const collection = (...named: Parameters<Db['collection']>) => {
    const found = mongo.db.collection(...named);
    const find = found.find.bind(found);
    const late = (...asked: Parameters<typeof find>) => ({
      async toArray() {
        await beforeRead();
        return find(...asked).toArray();
      },
    });
    return Object.assign(found, { find: late });
  };
  return Object.assign(Object.create(mongo.db), { collection });
}

t.test('a press that many nodes bring at the same moment is raised by one of them', async (t) => {
  const record = press();

  const accepted = await Promise.all(Array.from({ length: 8 }, () => store.accept(record)));

  t.strictSame(accepted.map(({ outcome: became }) => became).sort(), [...Array(7).fill('known'), 'raised']);
  for (const { alert } of accepted) t.match(alert, { _id: record.triggerId, version: 1, pressCount: 1 });
});

t.test('presses of one person at the same moment are one alert, and each hears of its own', async (t) => {
  const userId = `rider-${uuidV7()}`;
  const records = Array.from({ length: 6 }, () => press(userId));

  const accepted = await Promise.all(records.map((record) => store.accept(record)));

  t.strictSame(accepted.map(({ outcome: became }) => became).sort(), [...Array(5).fill('merged'), 'raised']);
  t.equal(new Set(accepted.map(({ alert }) => alert._id)).size, 1);
  for (const [index, { alert, triggerId }] of accepted.entries()) {
    t.equal(triggerId, records[index]?.triggerId);
    t.ok(alert.triggers.some(({ id }) => id === triggerId));
  }
});

t.test('a press whose alert was written and not read is known afterwards, as news', async (t) => {
  const record = press();
  const cutOff = Object.assign(new Error('cut off'), { name: 'TimeoutError' });
  const faulty = createAlertStore({ db: dbWith(() => Promise.reject(cutOff)) });

  await t.rejects(faulty.accept(record), { code: 'database_unavailable', detail: 'unknown' });

  t.match(await store.accept(record), { outcome: 'known', alert: { _id: record.triggerId, version: 1 } });
});

t.test('of orders on one version one is taken', async (t) => {
  const { _id, version } = await raise();
  const order = (by: number) =>
    store.changeIf({ _id, version }, [{ $set: { region: `by ${by}`, version: { $add: ['$version', 1] } } }]);

  const changed = await Promise.all(Array.from({ length: 6 }, (_, by) => order(by)));

  const taken = changed.filter((alert) => alert !== undefined);
  t.equal(taken.length, 1);
  t.match(await read(_id), { version: version + 1, region: taken[0]?.region });
});

t.test('of claims at the same moment one has what is due, under one fence more', async (t) => {
  const { _id } = await raise();

  const claims = await Promise.all([dispatch, openDispatch(), openDispatch()].map((one) => one.claim(_id)));

  const taken = claims.filter((claim) => claim !== undefined);
  t.equal(taken.length, 1);
  t.same(
    taken[0]?.entries.map(({ entryId }) => entryId),
    (await read(_id)).outbox.map(({ entryId }) => entryId),
  );
  t.ok(taken[0]?.entries.every(({ fence, state }) => fence === 1 && state === 'SENDING'));
});

t.test('an alert that the database refuses to change keeps no other from being taken', async (t) => {
  const good = await Promise.all(Array.from({ length: 3 }, raise));
  const bad = await raise();
  await alerts.updateOne({ _id: bad._id }, { $set: { outbox: 'not a list' as never } });

  const claims = await Promise.allSettled([bad, ...good].map(({ _id }) => dispatch.claim(_id)));

  t.equal(claims[0]?.status, 'rejected');
  for (const claim of claims.slice(1)) t.match(claim, { value: { entries: { length: 4 } } });
  await alerts.deleteOne({ _id: bad._id });
});

t.test('a claim where nothing is due leaves the alert as it is', async (t) => {
  const { _id } = await raise();
  await dispatch.claim(_id);
  const before = await read(_id);

  t.equal(await dispatch.claim(_id), undefined);

  t.strictSame(await read(_id), before);
});

t.test('what arrived, or somebody else took, between the claim and its read is not sent', async (t) => {
  const { _id, outbox } = await raise();
  const [arrived = '', taken = '', ...left] = outbox.map(({ entryId }) => entryId);
  const overtaken = openDispatch(
    dbWith(async () => {
      const told = { kind: 'told', entryId: arrived, number: '1-1', result: 'arrived' } as const;
      await dispatch.keep(_id, [told, outcome(taken, 1, { state: 'SENDING', dueInMs: 0 })], []);
      await dispatch.claim(_id);
    }),
  );

  const claim = await overtaken.claim(_id);

  t.same(
    claim?.entries.map(({ entryId }) => entryId),
    left,
  );
});

t.test('what a voided holder keeps changes nothing, and is told so by the fence', async (t) => {
  const { _id } = await raise();
  const claim = await dispatch.claim(_id);
  const [entry] = claim?.entries ?? [];
  const entryId = entry?.entryId ?? '';
  await alerts.updateOne({ _id, 'outbox.entryId': entryId }, { $inc: { 'outbox.$.fence': 1 } });

  const kept = await dispatch.keep(_id, [outcome(entryId, 1)], []);

  t.match(
    kept?.outbox.find((one) => one.entryId === entryId),
    { fence: 2, state: 'SENDING', attempts: 0 },
  );
});

t.test('an attempt that is kept again does not forget what was told of it', async (t) => {
  const { _id: alertId } = await raise();
  const attempt = (number: string): AlertAttemptDocument => ({
    ...{ _id: `${alertId}-${number}`, alertId, entryId: 'incident', number, recipient: { kind: 'incident' } },
    ...{ channel: 'incident', provider: 'pagerduty', startedAtMs: 1, latencyMs: 5, outcome: 'accepted' },
  });
  const [first, second] = [attempt('1-1'), attempt('1-2')];
  await dispatch.keep(alertId, [], [first]);
  await dispatch.keep(alertId, [], [{ ...first, status: 'delivered', statusAt: new Date() }]);

  await dispatch.keep(alertId, [], [first, second]);

  t.match(await dispatch.findAttempt(first._id), { status: 'delivered' });
  t.strictSame(await dispatch.findAttempt(second._id), second);
});

t.test('the embedded engine can go straight to the alert for each write', async (t) => {
  const client = new MongoClient(mongo.url, { monitorCommands: true });
  t.teardown(() => client.close());
  const filters: Record<string, unknown>[] = [];
  const names = new Set<string>();
  client.on('commandStarted', ({ commandName, command }) => {
    names.add(commandName);
    for (const { q } of (command as { updates?: { q: Record<string, unknown> }[] }).updates ?? []) filters.push(q);
  });
  const db = client.db(mongo.database);
  const watched = createAlertStore({ db });
  const first = press();

  const { alert } = await watched.accept(first);
  await watched.accept(press(first.userId));
  await watched.changeIf({ _id: alert._id, version: 1 }, [{ $set: { region: 'other' } }]);
  const claim = await openDispatch(db).claim(alert._id);
  await openDispatch(db).keep(alert._id, [outcome(claim?.entries[0]?.entryId ?? '', 1)], []);

  t.equal(names.has('findAndModify'), false);
  t.equal(filters.length, 6);
  for (const filter of filters) t.equal(Object.keys(filter)[0], '_id');
  t.notOk(filters.some((filter) => Object.keys(filter).some((key) => key.startsWith('$'))));
});

t.test('what is kept twice, since the first answer was lost, is kept once', async (t) => {
  const { _id: alertId } = await raise();
  const claimed = await dispatch.claim(alertId);
  const entry = claimed?.entries.find(({ channel }) => channel === 'voice');
  const expanding = claimed?.entries.find(({ channel }) => channel === 'none');
  if (entry === undefined || expanding === undefined) throw new Error('nothing was due');
  const made = { number: `${entry.fence}-1`, provider: 'twilio-voice', result: 'next', endedAtMs: 1 } as const;
  const tried = outcome(entry.entryId, entry.fence, { state: 'SENDING', dueInMs: 5_000, addTries: [made] });
  const contact = { entryId: 'contact-a-sms', recipient: { kind: 'contact', contactId: 'a' }, channel: 'sms' } as const;
  const read3 = outcome(expanding.entryId, expanding.fence, {
    state: 'DELIVERED',
    attempts: 0,
    expanded: { contacts: [], version: 3, entries: [contact] },
  });

  for (const change of [tried, tried, read3, read3]) await dispatch.keep(alertId, [change], []);

  const { outbox } = await read(alertId);
  t.match(
    outbox.filter(({ entryId }) => entryId === entry.entryId),
    [{ attempts: 1, tries: [{ number: made.number }] }],
  );
  t.equal(outbox.filter(({ entryId }) => entryId === contact.entryId).length, 1);
  t.equal(outbox.find(({ entryId }) => entryId === entry.entryId)?.tries.length, 1);
});
