import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@hushryd/platform/errors/app-error';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { createFakeClock } from '@hushryd/platform/testing/clock';
import t from 'tap';
import type { AlertDocument } from '../alerts/alert-document.ts';
import type { AlertWork } from '../alerts/change-alert.ts';
import { planOutbox } from '../alerts/plan-outbox.ts';
import type { TriggerRecord } from '../alerts/trigger-record.ts';
import type { AlertAttemptDocument } from '../dispatch/alert-attempts.ts';
import { uuidV7 } from '../drills/uuid-v7.ts';
import { type Journal, openJournal } from '../journal/journal.ts';
import { toDirectAlert } from './direct-alert.ts';
import { type AlertRecord, isPress, personOrAlertOf } from './direct-records.ts';
import { createLateAcks } from './late-acks.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const clock = createFakeClock();
const hourMs = 3_600_000;

/** A database with a few alerts in it, which may be away; of a command it keeps that somebody takes care. */
function playDatabase() {
  const alerts = new Map<string, AlertDocument>();
  const attempts = new Map<string, AlertAttemptDocument>();
  const broken = new Set<string>();
  let isAway = false;
  let looks = 0;

  function ask(alertId: string): AlertDocument | undefined {
    looks += 1;
    if (isAway) throw new AppError('database_unavailable');
    if (broken.has(alertId)) throw new AppError('internal');
    return alerts.get(alertId);
  }
  const work: AlertWork = {
    store: {
      find: async (alertId) => ask(alertId) ?? null,
      async changeIf({ _id }, pipeline) {
        const before = ask(_id);
        if (before === undefined) return undefined;
        // What a command sets is literals.
        const { $set = {} } = pipeline[0] ?? {};
        const said = ({ $literal }: { $literal?: unknown } = {}) => $literal;
        const changed = { ...before, state: said($set.state), acknowledgedBy: said($set.acknowledgedBy) };
        alerts.set(_id, changed as AlertDocument);
        return alerts.get(_id);
      },
      hasFact: async () => false,
    },
    announce: async () => true,
  };
  return {
    work,
    store: {
      async findAttempt(attemptId: string) {
        if (isAway) throw new AppError('database_unavailable');
        return attempts.get(attemptId) ?? null;
      },
    },
    get looks() {
      return looks;
    },
    goAway: (away: boolean) => {
      isAway = away;
    },
    breakAlert: (alertId: string) => void broken.add(alertId),
    put(alertId = uuidV7(), pressedAtMs = clock.now()): string {
      const time = new Date(pressedAtMs).toISOString();
      const record: TriggerRecord = {
        ...{ triggerId: alertId, userId: `rider-${alertId}`, role: 'rider', region: 'test', acceptedAt: time },
        ...{ via: 'https', isTokenExpired: false, trigger: { alertId, triggeredAt: time } },
        ...{ outbox: planOutbox({ contacts: [] }), contacts: [] },
      };
      alerts.set(alertId, toDirectAlert(record));
      return alertId;
    },
    /** A call that some node has made. */
    putCall(attemptId: string, call: Pick<AlertAttemptDocument, 'recipient' | 'personId'>): void {
      attempts.set(attemptId, { _id: attemptId, channel: 'voice', ...call } as AlertAttemptDocument);
    },
    takenBy: (alertId: string) => alerts.get(alertId)?.acknowledgedBy,
  };
}

async function openNode(t: { teardown(work: () => unknown): unknown }) {
  const rootDir = mkdtempSync(join(tmpdir(), 'hushryd-late-acks-'));
  t.teardown(() => rmSync(rootDir, { recursive: true, force: true }));
  const open = () => openJournal({ settings: { rootDir, maxBytes: 1_000_000 }, ownerOf: personOrAlertOf, log });
  let journal = await open();
  t.teardown(() => journal.close());
  const database = playDatabase();
  const lateAcksOn = (on: Pick<Journal<AlertRecord>, 'append' | 'settle'>) =>
    createLateAcks({ journal: on, ...database, log, now: clock.now });
  return {
    database,
    lateAcksOn,
    get journal() {
      return journal;
    },
    get lateAcks() {
      return lateAcksOn(journal);
    },
    async restart() {
      await journal.close();
      journal = await open();
    },
  };
}

const ackBy = (by: string, attemptId?: string) => ({
  ...{ by, atMs: clock.now() + 1_000 },
  ...(attemptId !== undefined && { attemptId }),
});
const onCall = { recipient: { kind: 'on_call', level: 1 }, personId: 'dana' } as const;
const ofContact = { recipient: { kind: 'contact', contactId: 'asha' } } as const;
/** Of whom the journal says that they take care. */
const keptIn = (journal: Journal<AlertRecord>) =>
  journal.pending().flatMap(({ body }) => (isPress(body) || body.kind !== 'acknowledged' ? [] : [body.by]));

t.test(
  'that somebody takes care is on the disk first, then in the database, and then gone from the disk',
  async (t) => {
    const { database, journal, lateAcks } = await openNode(t);
    const alertId = database.put();

    await lateAcks.keep(alertId, ackBy('dana'));
    await lateAcks.keep(alertId, ackBy('dana'));
    t.same([keptIn(journal), database.takenBy(alertId)], [['dana'], undefined]);

    await lateAcks.bring();
    t.same([keptIn(journal), database.takenBy(alertId)], [[], 'dana']);
    const { looks } = database;
    await lateAcks.bring();
    t.equal(database.looks, looks, 'it is not brought again');
  },
);

t.test(
  'what the disk has only after somebody was told that it does not answer counts all the same',
  { timeout: 20_000 },
  async (t) => {
    const { database, journal, lateAcksOn } = await openNode(t);
    const alertId = database.put();
    let goOn = (): void => undefined;
    const isBusy = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let landed: Promise<void> = Promise.resolve();
    const lateAcks = lateAcksOn({
      ...journal,
      append(...given) {
        landed = isBusy.then(() => journal.append(...given));
        return landed;
      },
    });

    await t.rejects(lateAcks.keep(alertId, ackBy('dana')), { code: 'sos_not_persisted' });
    await lateAcks.bring();
    t.equal(database.takenBy(alertId), undefined, 'nothing has it yet');
    goOn();
    await landed;
    await lateAcks.bring();

    t.same([keptIn(journal), database.takenBy(alertId)], [[], 'dana']);
  },
);

t.test('what the disk refuses is refused, and does not come up again', async (t) => {
  const { database, lateAcksOn, journal } = await openNode(t);
  const alertId = database.put();
  const full = async () => {
    throw new AppError('sos_not_persisted', { detail: 'the journal is full' });
  };
  const lateAcks = lateAcksOn({ ...journal, append: full });

  await t.rejects(lateAcks.keep(alertId, ackBy('dana')), { code: 'sos_not_persisted' });
  await lateAcks.bring();

  t.equal(database.takenBy(alertId), undefined);
});

t.test('more than a thousand are not kept', async (t) => {
  const { lateAcks, database } = await openNode(t);
  database.goAway(true);
  await Promise.all(Array.from({ length: 1_000 }, () => lateAcks.keep(uuidV7(), ackBy('dana'))));

  await t.rejects(lateAcks.keep(uuidV7(), ackBy('dana')), { code: 'sos_not_persisted' });
});

t.test('what a process before has kept is brought, but not of an alert that is here', async (t) => {
  const node = await openNode(t);
  const { database } = node;
  const [there, here] = [database.put(), database.put()];
  await node.lateAcks.keep(there, ackBy('dana'));
  await node.lateAcks.keep(here, ackBy('dana'));

  await node.restart();
  const { lateAcks, journal } = node;
  lateAcks.adopt(journal, (alertId) => alertId === here);
  await lateAcks.bring();

  t.same([database.takenBy(there), database.takenBy(here)], ['dana', undefined]);
  t.match(journal.pending(), [{ body: { alertId: here } }], 'which it is brought with');
});

t.test(
  'an alert that the database does not have is asked for during an hour, since another node may bring it',
  async (t) => {
    const { database, journal, lateAcks } = await openNode(t);
    const [coming, never, pressedAtMs] = [uuidV7(), uuidV7(), clock.now()];
    for (const alertId of [coming, never]) await lateAcks.keep(alertId, ackBy('dana'));

    // The hour begins when the database has answered for the first time.
    clock.advance(hourMs);
    await lateAcks.bring();
    clock.advance(hourMs - 1);
    await lateAcks.bring();
    t.same(keptIn(journal), ['dana', 'dana']);

    database.put(coming, pressedAtMs);
    await lateAcks.bring();
    t.same([database.takenBy(coming), keptIn(journal)], ['dana', ['dana']]);

    clock.advance(1);
    await lateAcks.bring();
    t.same(keptIn(journal), [], 'what never came is given up');
    database.put(never, pressedAtMs);
    await lateAcks.bring();
    t.equal(database.takenBy(never), undefined);
  },
);

t.test('a key counts where the call was to somebody on call, and it is them who take care', async (t) => {
  const { database, journal, lateAcks } = await openNode(t);
  const [theirs, others, unknown] = [database.put(), database.put(), database.put()];
  database.putCall('to-on-call', onCall);
  database.putCall('to-contact', ofContact);
  await lateAcks.keep(theirs, ackBy('on-call', 'to-on-call'));
  await lateAcks.keep(others, ackBy('on-call', 'to-contact'));
  await lateAcks.keep(unknown, ackBy('on-call', 'not-brought-yet'));

  await lateAcks.bring();

  t.same([theirs, others, unknown].map(database.takenBy), ['dana', undefined, undefined]);
  t.match(journal.pending(), [{ body: { alertId: unknown } }], 'whom the third one called is not known yet');
  database.putCall('not-brought-yet', { ...onCall, personId: 'omar' });
  await lateAcks.bring();
  t.equal(database.takenBy(unknown), 'omar');
});

t.test('the key of a contact does not stand in the way of the one of somebody on call', async (t) => {
  const { database, lateAcks } = await openNode(t);
  const alertId = database.put();
  database.putCall('to-contact', ofContact);
  database.putCall('to-on-call', onCall);

  await lateAcks.keep(alertId, ackBy('on-call', 'to-contact'));
  await lateAcks.keep(alertId, ackBy('on-call', 'to-on-call'));
  await lateAcks.bring();

  t.equal(database.takenBy(alertId), 'dana');
});

t.test('a word that was given before a press says nothing of it', async (t) => {
  const { database, journal, lateAcks } = await openNode(t);
  const alertId = database.put(uuidV7(), clock.now() + 2_000);
  await lateAcks.keep(alertId, ackBy('dana'));

  await lateAcks.bring();

  t.same([database.takenBy(alertId), keptIn(journal)], [undefined, []]);
});

t.test('a database that is away ends the round, and all of it comes again', async (t) => {
  const { database, journal, lateAcks } = await openNode(t);
  const alertIds = [database.put(), database.put(), database.put()];
  for (const alertId of alertIds) await lateAcks.keep(alertId, ackBy('dana'));
  database.goAway(true);

  await t.rejects(lateAcks.bring(), { code: 'database_unavailable' });
  t.same([database.looks, keptIn(journal).length], [1, 3], 'nobody waits for it three times');

  database.goAway(false);
  await lateAcks.bring();
  t.same([alertIds.map(database.takenBy), keptIn(journal)], [['dana', 'dana', 'dana'], []]);
});

t.test('one that cannot be brought holds up no other one', async (t) => {
  const { database, journal, lateAcks } = await openNode(t);
  const [broken, whole] = [database.put(), database.put()];
  database.breakAlert(broken);
  for (const alertId of [broken, whole]) await lateAcks.keep(alertId, ackBy('dana'));

  await lateAcks.bring();

  t.equal(database.takenBy(whole), 'dana');
  t.match(journal.pending(), [{ body: { alertId: broken } }], 'it comes again');
});

t.test('where a colleague was faster there is nothing more to bring', async (t) => {
  const { database, journal, lateAcks } = await openNode(t);
  const alertId = database.put();
  for (const by of ['olga', 'dana']) await lateAcks.keep(alertId, ackBy(by));

  await lateAcks.bring();

  t.same([database.takenBy(alertId), keptIn(journal)], ['olga', []]);
});
