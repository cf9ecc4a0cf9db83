import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { testMongo } from '@hushryd/platform/testing/engines';
import t from 'tap';
import { type AlertDocument, alertsCollection } from '../src/alerts/alert-document.ts';
import { createAlertStore } from '../src/alerts/alert-store.ts';
import { acknowledgeAlert } from '../src/alerts/handle-alert.ts';
import { planOutbox } from '../src/alerts/plan-outbox.ts';
import type { TriggerRecord } from '../src/alerts/trigger-record.ts';
import { acknowledge, applyChange, claimDue, joinPress, toDirectAlert } from '../src/direct/direct-alert.ts';
import { createHandOver } from '../src/direct/hand-over.ts';
import { type AlertAttemptDocument, alertAttemptsCollection } from '../src/dispatch/alert-attempts.ts';
import { createDispatchStore } from '../src/dispatch/dispatch-store.ts';
import { uuidV7 } from '../src/drills/uuid-v7.ts';
import { newKey } from './open-hub.ts';

// What a node did alone becomes what the database has, and where somebody acted there meanwhile, that stays.

const { db } = await testMongo(t);
await ensureCollections(db, [alertsCollection, alertAttemptsCollection]);
const store = createAlertStore({ db });
const settings = { leaseMs: 5_000, escalateEveryMs: 60_000 };
const dispatch = createDispatchStore({ db, settings });
const handOver = createHandOver({ db });
const work = { store, announce: async () => true };

function newRecord(agoMs: number): TriggerRecord {
  const triggerId = uuidV7();
  const time = new Date(Date.now() - agoMs).toISOString();
  const contacts = [{ contactId: 'asha', channels: ['sms', 'voice'] }] as unknown as TriggerRecord['contacts'];
  return {
    triggerId,
    userId: `rider-${newKey()}`,
    role: 'rider',
    region: 'test',
    acceptedAt: time,
    via: 'https',
    isTokenExpired: false,
    trigger: { alertId: triggerId, triggeredAt: time },
    outbox: planOutbox({ contacts }),
    contacts,
    contactsVersion: 3,
  };
}

/** The alert of a press that came 40 s ago: a text has been taken, the call failed, and who is on call was called. */
function sendAlone(record: TriggerRecord): { document: AlertDocument; attempts: Map<string, AlertAttemptDocument> } {
  const nowMs = Date.now();
  const claimed = claimDue(toDirectAlert(record), { claimId: 'c1', nowMs, settings });
  if (claimed === undefined) throw new Error('nothing was due');
  let document = claimed.alert;
  const attempts = new Map<string, AlertAttemptDocument>();
  for (const { entryId, fence, recipient, channel } of claimed.entries) {
    if (channel === 'incident') continue; // Still under way.
    const made = {
      number: `${fence}-1`,
      provider: 'twilio-sms' as const,
      result: 'accepted' as const,
      endedAtMs: nowMs,
    };
    const isFailed = channel === 'voice' && recipient.kind === 'contact';
    document = applyChange(
      document,
      {
        kind: 'outcome',
        entryId,
        fence,
        state: isFailed ? 'FAILED' : 'ACCEPTED',
        ...(isFailed && { reason: 'exhausted' as const }),
        dueInMs: channel === 'sms' ? 20_000 : null,
        attempts: 1,
        addTries: [made],
        fact: { factId: `attempt-${entryId}`, kind: 'attempt', data: { entryId } },
      },
      nowMs,
    );
    const attempt = { alertId: record.triggerId, entryId, number: made.number, recipient, channel, startedAtMs: nowMs };
    attempts.set(`${entryId}-1`, {
      ...attempt,
      _id: `${record.triggerId}-${entryId}`,
      provider: 'twilio-sms',
      latencyMs: 1,
      outcome: 'accepted',
    });
  }
  return { document, attempts };
}

const entryOf = ({ outbox }: AlertDocument, entryId: string) => outbox.find((entry) => entry.entryId === entryId);
async function read(alertId: string): Promise<AlertDocument> {
  const found = await store.find(alertId);
  if (found === null) throw new Error('no such alert');
  return found;
}

t.test('the database goes on from where the node is', async (t) => {
  const record = newRecord(40_000);
  const direct = { record, ...sendAlone(record) };
  const { alert } = await store.accept(record, { ageMs: 40_000, isHeld: true });
  t.equal(await dispatch.claim(alert._id), undefined, 'held: nobody else sends it');

  await handOver(alert._id, direct);

  const known = await read(alert._id);
  t.match(entryOf(known, 'contact-asha-sms'), { state: 'ACCEPTED', attempts: 1, tries: [{ result: 'accepted' }] });
  t.match(entryOf(known, 'contact-asha-voice'), { state: 'FAILED', reason: 'exhausted', dueAt: null });
  t.match(entryOf(known, 'operators-desk'), { state: 'ACCEPTED', dueAt: null });
  t.match(entryOf(known, 'incident'), { state: 'SENDING', takenBy: 'c1' });
  t.match(known.escalation, { level: 1, nextAt: Date });
  t.ok((known.escalation.nextAt?.getTime() ?? 0) > Date.now() + 30_000, 'not before its time');
  const kinds = known.facts.map(({ kind }) => kind);
  t.same(kinds.filter((kind) => kind === 'attempt').length, direct.attempts.size);
  t.ok(kinds.includes('escalated'));
  t.equal(await db.collection('alert_attempts').countDocuments({ alertId: alert._id }), direct.attempts.size);
  t.equal(await dispatch.claim(alert._id), undefined, 'nothing is due');

  await handOver(alert._id, direct);
  t.equal((await read(alert._id)).facts.length, known.facts.length, 'twice is once');
});

t.test('who took care of it at the node has taken care of it', async (t) => {
  const record = newRecord(40_000);
  const { document, attempts } = sendAlone(record);
  const direct = { record, attempts, document: acknowledge(document, { by: 'olga', atMs: Date.now() }) };
  const { alert } = await store.accept(record, { ageMs: 40_000, isHeld: true });
  await handOver(alert._id, direct);

  const known = await read(alert._id);
  t.match(known, { state: 'acknowledged', acknowledgedBy: 'olga', acknowledgedAt: Date, escalation: { nextAt: null } });
  t.match(
    known.outbox.filter(({ purpose }) => purpose === 'acknowledge'),
    [{ channel: 'incident', state: 'PENDING' }],
  );
  t.ok(known.outbox.every(({ recipient }) => recipient.kind !== 'on_call'));

  const late = { ...newRecord(10_000), userId: record.userId };
  const { outcome } = await store.accept(late, { ageMs: 10_000 });
  t.equal(outcome, 'merged');
  t.equal((await read(alert._id)).state, 'acknowledged', 'a press from before does not undo it');
});

t.test('what was done in the database stays: entries that were claimed, a state that changed', async (t) => {
  const record = newRecord(40_000);
  const direct = { record, ...sendAlone(record) };
  const { alert } = await store.accept(record, { ageMs: 40_000 });
  const claimed = await dispatch.claim(alert._id);
  t.ok(claimed?.entries.length);
  await acknowledgeAlert(work, { alertId: alert._id, by: 'olga', authorise: () => undefined });
  await handOver(alert._id, direct);

  const known = await read(alert._id);
  t.match(known, { state: 'acknowledged', acknowledgedBy: 'olga', escalation: { nextAt: null } });
  t.match(entryOf(known, 'contact-asha-sms'), { state: 'SENDING', fence: 1 }, 'whoever has it sends it');
  t.ok(
    known.facts.some(({ kind }) => kind === 'attempt'),
    'what the node did is told all the same',
  );
});

t.test('an acknowledgement says nothing of a press that came later', async (t) => {
  const record = newRecord(200_000);
  const pressedAt = Date.now() - 100_000;
  const again = { ...newRecord(100_000), userId: record.userId };
  const open = joinPress(toDirectAlert(record), again);
  t.equal(acknowledge(open, { by: 'olga', atMs: pressedAt - 1_000 }).state, 'open');
  t.equal(acknowledge(open, { by: 'olga', atMs: pressedAt + 5_000 }).state, 'acknowledged');

  const { alert } = await store.accept(record, { ageMs: 200_000 });
  await store.accept(again, { ageMs: 100_000 });
  const order = { alertId: alert._id, by: 'olga', authorise: () => undefined };
  t.equal((await acknowledgeAlert(work, { ...order, atMs: pressedAt - 1_000 })).state, 'open');
  t.equal((await acknowledgeAlert(work, { ...order, atMs: pressedAt + 5_000 })).state, 'acknowledged');
});
