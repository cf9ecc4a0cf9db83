import { deepStrictEqual } from 'node:assert/strict';
import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { testMongo } from '@hushryd/platform/testing/engines';
import fc from 'fast-check';
import t from 'tap';
import { type AlertDocument, alertsCollection, type OutboxEntry } from '../src/alerts/alert-document.ts';
import { createAlertStore } from '../src/alerts/alert-store.ts';
import { planOutbox } from '../src/alerts/plan-outbox.ts';
import type { TriggerRecord } from '../src/alerts/trigger-record.ts';
import { acknowledge, applyChange, claimDue, joinPress, toDirectAlert } from '../src/direct/direct-alert.ts';
import { acknowledgeQuietly } from '../src/dispatch/acknowledge-quietly.ts';
import { alertAttemptsCollection } from '../src/dispatch/alert-attempts.ts';
import { createDispatchStore } from '../src/dispatch/dispatch-store.ts';
import type { EntryChange } from '../src/dispatch/entry-change.ts';
import { uuidV7 } from '../src/drills/uuid-v7.ts';
import { newKey } from './open-hub.ts';

// What a node does to an alert in memory is what the updates do in the database: both are given the same, and compared after each step.

const runs = 60;
const seed = Date.now() % 2 ** 31;
t.comment(`seed ${seed}`);

const { db } = await testMongo(t);
await ensureCollections(db, [alertsCollection, alertAttemptsCollection]);
const alerts = db.collection<AlertDocument>('alerts');
const store = createAlertStore({ db, deadlineMs: 10_000 });
/** Nothing that is due later comes due while a test runs. */
const later = 600_000;
const settings = { leaseMs: later, escalateEveryMs: later };
const dispatch = createDispatchStore({ db, settings, deadlineMs: 10_000 });

const work = { store, announce: async () => true };

type EntryStep =
  | { kind: 'outcome'; entry: number; state: OutboxEntry['state']; due: 'now' | 'later' | 'never'; isStale: boolean }
  | {
      kind: 'told';
      entry: number;
      result: 'arrived' | 'unanswered' | 'next';
      try: 'first' | 'last' | 'next';
      isShared: boolean;
    };
type Step = EntryStep | { kind: 'claim' } | { kind: 'acknowledge' } | { kind: 'press'; isLater: boolean };

const entry = fc.nat({ max: 7 });
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('claim' as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('acknowledge' as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('press' as const), isLater: fc.boolean() }) },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('outcome' as const),
        entry,
        state: fc.constantFrom('PENDING' as const, 'SENDING' as const, 'ACCEPTED' as const, 'FAILED' as const),
        due: fc.constantFrom('now' as const, 'later' as const, 'never' as const),
        isStale: fc.boolean(),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('told' as const),
        entry,
        result: fc.constantFrom('arrived' as const, 'unanswered' as const, 'next' as const),
        try: fc.constantFrom('first' as const, 'last' as const, 'next' as const),
        isShared: fc.boolean(),
      }),
    },
  ),
  { minLength: 1, maxLength: 10 },
);

const accepted = { kind: 'outcome', entry: 2, state: 'ACCEPTED', due: 'later', isStale: false } as const;
const arrivedOf = (which: 'first' | 'last' | 'next') =>
  ({ kind: 'told', entry: 2, result: 'arrived', try: which, isShared: true }) as const;
const arrivedAlone = { kind: 'told', entry: 2, result: 'arrived', try: 'last', isShared: false } as const;
/** No answer came through, and it has arrived all the same. */
const lostAndArrived: [Step[]] = [
  [{ kind: 'claim' }, { kind: 'outcome', entry: 2, state: 'FAILED', due: 'never', isStale: false }, arrivedAlone],
];
const outcomeOf = (of: number) =>
  ({ kind: 'outcome', entry: of, state: 'ACCEPTED', due: 'never', isStale: false }) as const;
/** What is said of an acknowledgement is over when the next one comes, which is of another incident. */
const again: [Step[]] = [
  [
    { kind: 'acknowledge' },
    { kind: 'claim' },
    outcomeOf(4),
    { kind: 'press', isLater: false },
    { kind: 'press', isLater: true },
    { kind: 'press', isLater: true },
    { kind: 'acknowledge' },
  ],
];
/** Two people share a text, and their receipts come one after the other, or before it is known that it was taken. Chance seldom makes these. */
const shared: [Step[]][] = [
  [[{ kind: 'claim' }, accepted, accepted, arrivedOf('first'), arrivedOf('last')]],
  [[{ kind: 'claim' }, arrivedOf('next'), accepted, arrivedOf('first'), arrivedOf('last')]],
];

function newRecord(ageMs: number, userId = `rider-${newKey()}`): TriggerRecord {
  const triggerId = uuidV7();
  const time = new Date(Date.now() - ageMs).toISOString();
  const contacts = [{ contactId: 'a', channels: ['sms', 'voice'] }] as unknown as TriggerRecord['contacts'];
  return {
    ...{ triggerId, userId, role: 'rider', region: 'test', acceptedAt: time, via: 'https' },
    ...{ isTokenExpired: false, trigger: { alertId: triggerId, triggeredAt: time } },
    ...{ outbox: planOutbox({ contacts }), contacts, contactsVersion: 1 },
  };
}

/** What both have to agree in. Claims have names of their own, a node's fences are higher, and clocks differ. */
function shape(alert: AlertDocument, fenceBase: number) {
  const { outbox, escalation, version, state, pressCount, acknowledgedBy } = alert;
  return {
    ...{ state, pressCount, acknowledgedBy },
    level: escalation.level,
    escalates: whenIs(escalation.nextAt),
    version,
    outbox: outbox.map(({ entryId, recipient, purpose, state, reason, attempts, tries, dueAt, fence }) => ({
      entryId: entryId.replace(/^(on-call)-.*-(\w+)$/, '$1-$2'),
      ...{
        recipient,
        purpose,
        state,
        reason,
        attempts,
        dueAt: whenIs(dueAt),
        results: tries.map(({ result }) => result),
      },
      fence: fence - fenceBase,
    })),
  };
}

function whenIs(at: Date | null): 'never' | 'now' | 'later' {
  if (at === null) return 'never';
  return at.getTime() <= Date.now() ? 'now' : 'later';
}

t.test('the same happens in memory and in the database', async (t) => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const record = newRecord(40_000);
      let own = toDirectAlert(record);
      const { alert } = await store.accept(record, { ageMs: 40_000 });
      const fenceBase = own.outbox[0]?.fence ?? 0;
      let stored = alert;
      for (const [index, step] of all.entries()) {
        if (step.kind === 'claim') {
          await dispatch.claim(alert._id);
          own = claimDue(own, { claimId: `c${index}`, nowMs: Date.now(), settings })?.alert ?? own;
        } else if (step.kind === 'acknowledge') {
          await acknowledgeQuietly(work, { alertId: alert._id, by: 'olga' });
          own = acknowledge(own, { by: 'olga', atMs: Date.now() });
        } else if (step.kind === 'press') {
          // As if the press before it were a minute older, so that this one is of now in both.
          const lastPressedAt = new Date(Date.now() - (step.isLater ? 61_000 : 0));
          await alerts.updateOne({ _id: alert._id }, { $set: { lastPressedAt } });
          const next = newRecord(0, record.userId);
          await store.accept(next);
          own = joinPress({ ...own, lastPressedAt }, next);
        } else {
          const ours = own.outbox[step.entry % own.outbox.length];
          const theirs = stored.outbox[step.entry % stored.outbox.length];
          if (ours === undefined || theirs === undefined) continue;
          await dispatch.keep(alert._id, [toChange(step, theirs, index)], []);
          own = applyChange(own, toChange(step, ours, index), Date.now());
        }
        stored = (await store.find(alert._id)) as AlertDocument;
        deepStrictEqual(shape(own, fenceBase), shape(stored, 0));
      }
    }),
    { numRuns: runs, seed, examples: [lostAndArrived, ...shared, again] },
  );
  t.pass(`${runs} alerts`);
});

const dueInMs = { never: null, now: 0, later };

function toChange(step: EntryStep, { entryId, fence, tries }: OutboxEntry, index: number): EntryChange {
  if (step.kind === 'told') {
    const known = { first: tries[0], last: tries.at(-1), next: undefined }[step.try];
    const sharedTry = step.isShared && { sharedTry: { provider: 'twilio-sms', endedAtMs: 2 } as const };
    // Of what the next step keeps, where that is not known yet.
    return { kind: 'told', entryId, number: known?.number ?? `1-${index + 2}`, result: step.result, ...sharedTry };
  }
  const made = { number: `1-${index + 1}`, provider: 'twilio-sms', result: 'accepted', endedAtMs: 1 } as const;
  return {
    kind: 'outcome',
    entryId,
    fence: step.isStale ? fence - 1 : fence,
    state: step.state,
    ...(step.state === 'FAILED' && { reason: 'exhausted' }),
    dueInMs: dueInMs[step.due],
    attempts: 1,
    addTries: [made],
  };
}
