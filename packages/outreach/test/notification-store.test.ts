import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { testMongo } from '@hushryd/platform/testing/engines';
import t from 'tap';
import type { NotificationDocument, StoredAttempt } from '../src/notifications/notification-document.ts';
import { createNotificationStore, notificationsCollection } from '../src/notifications/notification-store.ts';
import { newKey } from './open-hub.ts';

const mongo = await testMongo(t);
await ensureCollections(mongo.db, [notificationsCollection]);
const store = createNotificationStore({ db: mongo.db });
const nowMs = Date.now();
const now = () => nowMs;
const options = { nowMs, leaseMs: 20_000, receiptWaitMs: 1_000 };

const record = (): NotificationDocument => ({
  ...{
    _id: newKey(),
    template: 'ride_ended',
    locale: 'en',
    class: 'high',
    lane: 'high',
    channel: 'sms',
    sealed: 'sealed',
  },
  ...{ state: 'queued', isOpen: true, nextAt: new Date(nowMs - 1), createdAt: new Date(nowMs - 1) },
  ...{ expiresAt: new Date(nowMs + 60_000), leaseUntil: new Date(0), fence: 0, starts: 0, attempts: [] },
  ...{ round: 0, roundFrom: 0, receipts: {}, receiptCount: 0, purgeAt: new Date(nowMs + 600_000) },
});

const accepted = (number: string): StoredAttempt => ({
  ...{ attemptId: `ntf.x.${number}`, provider: 'twilio-sms', startedAtMs: nowMs, latencyMs: 5 },
  ...{ outcome: 'accepted', providerMessageId: newKey(), number },
});

async function claimed(): Promise<NotificationDocument> {
  const document = record();
  await store.insert(document);
  const taken = await store.claim(document._id, { now, leaseMs: options.leaseMs });
  if (taken === null) throw new Error('not taken up');
  return taken;
}

t.test('of many inserts at once each hears whether its own was there before', async (t) => {
  const known = record();
  await store.insert(known);
  const fresh = Array.from({ length: 40 }, record);
  const twice = fresh[7] as NotificationDocument;

  const outcomes = await Promise.all([known, ...fresh, twice].map(store.insert));

  t.equal(outcomes[0], 'exists');
  t.equal(outcomes.at(-1), 'exists', 'the second of one batch');
  t.equal(outcomes.filter((outcome) => outcome === 'inserted').length, fresh.length);
  for (const { _id } of fresh) t.match(await store.findById(_id), { state: 'queued' });
});

t.test('a record is taken up by one, also of those who ask in the same batch', async (t) => {
  const records = Array.from({ length: 12 }, record);
  await Promise.all(records.map(store.insert));
  const other = createNotificationStore({ db: mongo.db });

  const claims = await Promise.all(
    records.flatMap(({ _id }) => [store, store, other].map((one) => one.claim(_id, { now, leaseMs: 20_000 }))),
  );

  const taken = claims.filter((claim) => claim !== null);
  t.strictSame(taken.map(({ _id }) => _id).sort(), records.map(({ _id }) => _id).sort());
  for (const claim of taken) t.match(claim, { fence: 1, starts: 1, leaseUntil: new Date(nowMs + 20_000) });
});

t.test('what is written beside somebody who has lost a record is written, and the loser hears of it', async (t) => {
  const keeps = await claimed();
  const loses = await claimed();
  const told = await claimed();
  await mongo.db
    .collection<NotificationDocument>('notifications')
    .updateOne({ _id: loses._id }, { $inc: { fence: 1 } });
  await store.addReceipt(
    { recordId: told._id, number: '1-1' },
    { status: 'delivered', at: new Date(nowMs) },
    { ...options, isNews: () => true },
  );

  const [kept, lost, delivered] = await Promise.allSettled(
    [keeps, loses, told].map((document) => store.addAttempt(document, accepted('1-1'), options)),
  );

  t.match(kept, { value: { state: 'accepted', attempts: [{ number: '1-1' }] } });
  t.match(lost, { reason: { name: 'ClaimLostError' } });
  t.match(delivered, { value: { state: 'delivered', receiptCount: 1 } }, 'the receipt was there first');
  for (const { _id } of [keeps, told]) t.equal((await store.findById(_id))?.attempts.length, 1);
});

t.test('an attempt that is kept again, since nobody heard of the first time, is one', async (t) => {
  const document = await claimed();
  const made = accepted('1-1');
  await store.addAttempt(document, made, options);

  const again = await store.addAttempt(document, made, options);

  t.strictSame(again, await store.findById(document._id));
  t.equal(again.attempts.length, 1);
});

t.test('what is due is found in its lane, the longest due first, without what somebody has', async (t) => {
  const inLane = (lane: NotificationDocument['lane'], dueMs: number) => ({
    ...record(),
    ...{ lane, nextAt: new Date(nowMs - dueMs) },
  });
  const [late, later, taken, other] = [
    inLane('critical', 10),
    inLane('critical', 20),
    inLane('critical', 30),
    inLane('low', 40),
  ];
  await Promise.all([late, later, taken, other, inLane('critical', -60_000)].map(store.insert));
  await store.claim(taken._id, { now, leaseMs: options.leaseMs });

  const found = await store.findDue({ lane: 'critical', nowMs, limit: 10 });

  t.match(found, [
    { recordId: later._id, lane: 'critical', step: 0 },
    { recordId: late._id, lane: 'critical', step: 0 },
  ]);
  t.equal(found.length, 2);
});

t.test('what a change gives back is what is stored', async (t) => {
  const document = await claimed();

  const sent = await store.addAttempt(document, accepted('1-1'), options);
  t.strictSame(sent, await store.findById(document._id));
  const failed = await store.addReceipt(
    { recordId: document._id, number: '1-1' },
    { status: 'failed', at: new Date(nowMs), errorClass: 'give-up' },
    { ...options, isNews: () => true },
  );
  t.strictSame(failed?.after, await store.findById(document._id));
  const again = await store.claim(document._id, { now, leaseMs: options.leaseMs });
  const ended = await store.release(again as NotificationDocument, { state: 'failed', reason: 'give-up' }, nowMs);
  t.strictSame(ended, await store.findById(document._id));
  const redriven = await store.redrive(document._id, { nowMs, expiresAt: new Date(nowMs + 5_000) });
  t.strictSame(redriven, await store.findById(document._id));
  t.match(redriven, { state: 'queued', fence: 3 });
});
