import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@hushryd/platform/errors/app-error';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import t from 'tap';
import { planOutbox } from '../alerts/plan-outbox.ts';
import { recordKey, type TriggerRecord } from '../alerts/trigger-record.ts';
import { alertAttemptId } from '../dispatch/attempt-id.ts';
import { uuidV7 } from '../drills/uuid-v7.ts';
import { type Journal, openJournal } from '../journal/journal.ts';
import { createDirectJournal } from './direct-journal.ts';
import { type AlertRecord, type DirectRecord, isPress, personOrAlertOf } from './direct-records.ts';
import { createHeldAlerts, type Held } from './held-alerts.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const nowMs = Date.parse('2026-03-01T08:00:00.000Z');
const sms = 'contact-asha-sms';

/** A node's journal on the disk, which opens again as often as a test asks. */
async function openNode(t: { teardown(work: () => unknown): unknown }) {
  const rootDir = mkdtempSync(join(tmpdir(), 'hushryd-direct-'));
  t.teardown(() => rmSync(rootDir, { recursive: true, force: true }));
  const open = () => openJournal({ settings: { rootDir, maxBytes: 1_000_000 }, ownerOf: personOrAlertOf, log });
  let journal = await open();
  t.teardown(() => journal.close());
  return {
    get journal() {
      return journal;
    },
    async restart(): Promise<Journal<AlertRecord>> {
      await journal.close();
      journal = await open();
      return journal;
    },
  };
}

function startProcess() {
  const alerts = createHeldAlerts({ maxAlerts: 10 });
  return { alerts, direct: createDirectJournal({ alerts, log }) };
}

/** A press of somebody else each time. */
function newRecord(changes: Partial<TriggerRecord> = {}): TriggerRecord {
  const triggerId = uuidV7();
  const time = new Date(nowMs).toISOString();
  const contacts = [{ contactId: 'asha', channels: ['sms'] }] as unknown as TriggerRecord['contacts'];
  return {
    ...{ triggerId, userId: `rider-${triggerId}`, role: 'rider', region: 'test', acceptedAt: time, via: 'https' },
    ...{ isTokenExpired: false, trigger: { alertId: triggerId, triggeredAt: time } },
    ...{ outbox: planOutbox({ contacts }), contacts, contactsVersion: 1 },
    ...changes,
  };
}

const keep = async (journal: Journal<AlertRecord>, record: TriggerRecord) => {
  await journal.append({ key: recordKey(record), body: record });
  return record;
};

/** A text that a provider has taken: its try, its attempt, its line of the timeline. */
function textTaken(alertId: string): DirectRecord {
  const number = '1000001-1';
  const _id = alertAttemptId({ alertId, entryId: sms, number });
  return {
    kind: 'changed',
    alertId,
    atMs: nowMs + 500,
    change: {
      kind: 'outcome',
      entryId: sms,
      fence: 1_000_001,
      state: 'ACCEPTED',
      dueInMs: 20_000,
      attempts: 1,
      addTries: [{ number, provider: 'twilio-sms', result: 'accepted', endedAtMs: nowMs + 400 }],
      fact: { factId: _id, kind: 'attempt', data: { entryId: sms } },
    },
    attempts: [
      {
        ...{ _id, alertId, entryId: sms, number, recipient: { kind: 'contact', contactId: 'asha' }, channel: 'sms' },
        ...{ provider: 'twilio-sms', startedAtMs: nowMs, latencyMs: 400, outcome: 'accepted' },
        ...{ providerMessageId: 'm1', status: 'sent', statusAt: new Date(nowMs + 450) },
      },
    ],
  };
}

const escalated = (alertId: string): DirectRecord => ({
  ...{ kind: 'escalated', alertId, claimId: 'c1', atMs: nowMs + 30_000, nextAtMs: nowMs + 90_000 },
});
const acknowledged = (alertId: string, atMs = nowMs + 40_000): DirectRecord => ({
  ...{ kind: 'acknowledged', alertId, by: 'dana', atMs },
});
const kindsIn = (journal: Journal<AlertRecord>) =>
  journal.pending().map(({ body }) => (isPress(body) ? 'press' : body.kind));

t.test(
  'what a process did about an alert is known again by the next one, once, and sent only when it is asked to',
  async (t) => {
    const node = await openNode(t);
    const [record, untouched] = [await keep(node.journal, newRecord()), await keep(node.journal, newRecord())];
    const { triggerId: alertId } = record;
    const before = startProcess();
    const { held } = before.alerts.hold(record, { isPersisted: true, origin: node.journal }) ?? {};
    for (const body of [textTaken(alertId), escalated(alertId), acknowledged(alertId)]) {
      t.equal(await before.direct.write(held as Held, body), true);
    }

    const journal = await node.restart();
    const { alerts, direct } = startProcess();
    direct.adopt(journal);
    direct.adopt(journal);

    const again = alerts.get(alertId);
    t.match(again, { isPersisted: true, isParked: true, origin: journal });
    t.match(again?.document, { state: 'acknowledged', acknowledgedBy: 'dana', escalation: { level: 1, nextAt: null } });
    t.match(
      again?.document.outbox.find(({ entryId }) => entryId === sms),
      { state: 'ACCEPTED', fence: 1_000_001, attempts: 1, dueAt: new Date(nowMs + 20_500) },
    );
    t.same(
      again?.document.facts.map(({ kind }) => kind),
      ['attempt', 'escalated', 'acknowledged'],
    );
    t.match([...(again?.attempts.values() ?? [])], [{ providerMessageId: 'm1', statusAt: new Date(nowMs + 450) }]);
    t.equal(again?.keys.length, 3, 'and they go with the alert');
    t.equal(alerts.get(untouched.triggerId), undefined, 'of what nothing was done the replay takes care');

    direct.takePending(journal, { untilMs: nowMs, isStoredToo: false });
    t.equal(again?.isParked, false);
    t.match(alerts.get(untouched.triggerId), { isParked: false });
  },
);

t.test(
  'with the database away all that waits is sent, but what is on its own way, drills, and what others have',
  async (t) => {
    const { journal } = await openNode(t);
    const { alerts, direct } = startProcess();
    const later = new Date(nowMs + 1).toISOString();
    const [due, young, drill, stored, given] = [
      await keep(journal, newRecord()),
      await keep(journal, newRecord({ acceptedAt: later })),
      await keep(journal, newRecord({ isDrill: true })),
      await keep(journal, newRecord()),
      await keep(journal, newRecord()),
    ];
    journal.markStored(recordKey(stored));
    const { held } = alerts.hold(given, { isPersisted: true, origin: journal }) ?? {};
    alerts.giveTo({ alertId: given.triggerId, add: async () => null }, held as Held);
    const taken = () => [due, young, drill, stored, given].map(({ triggerId }) => alerts.get(triggerId) !== undefined);

    direct.takePending(journal, { untilMs: nowMs, isStoredToo: false });
    t.same(taken(), [true, false, false, false, false]);

    direct.takePending(journal, { untilMs: nowMs, isStoredToo: true });
    t.same(taken(), [true, false, false, true, false]);
  },
);

t.test(
  'what nobody knows any more is dropped, but not that somebody takes care, nor what is of an alert that is here',
  async (t) => {
    const { journal } = await openNode(t);
    const { alerts, direct } = startProcess();
    const { held } = alerts.hold(await keep(journal, newRecord()), { isPersisted: true, origin: journal }) ?? {};
    const [here, elsewhere] = [held?.document._id ?? '', uuidV7()];
    const left = [textTaken(here), textTaken(elsewhere), escalated(elsewhere), acknowledged(elsewhere)];
    for (const [index, body] of left.entries()) {
      await journal.append({ key: `left-${index}`, body });
    }

    await direct.dropOrphans(journal);

    t.same(kindsIn(journal), ['press', 'changed', 'acknowledged']);
  },
);

t.test('a record that lands after its alert was handed over does not stay', async (t) => {
  const { journal } = await openNode(t);
  const { alerts, direct } = startProcess();
  let goOn = (): void => undefined;
  const isBusy = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const busy = {
    ...journal,
    append: (...given: Parameters<typeof journal.append>) => isBusy.then(() => journal.append(...given)),
  };
  const { held } = alerts.hold(newRecord(), { isPersisted: true, origin: busy }) ?? {};
  const alertId = held?.document._id ?? '';

  const writing = direct.write(held as Held, textTaken(alertId));
  alerts.giveTo({ alertId, add: async () => null }, held as Held);
  goOn();

  t.equal(await writing, true);
  t.same([kindsIn(journal), held?.keys], [[], []]);
});

t.test('a disk that hangs or fails is told of, and holds up nobody', { timeout: 20_000 }, async (t) => {
  const { journal } = await openNode(t);
  const { alerts, direct } = startProcess();
  const failing = async () => {
    throw new AppError('sos_not_persisted', { detail: 'the disk failed' });
  };
  const hanging = () => new Promise<void>(() => undefined);

  for (const append of [failing, hanging]) {
    const { held } = alerts.hold(newRecord(), { isPersisted: true, origin: { ...journal, append } }) ?? {};
    t.equal(await direct.write(held as Held, acknowledged(held?.document._id ?? '')), false);
    t.same(held?.keys, []);
  }
});
