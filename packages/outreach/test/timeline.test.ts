import { createLogger } from '@hushryd/platform/logging/create-logger';
import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { testMongo } from '@hushryd/platform/testing/engines';
import fc from 'fast-check';
import { BSON } from 'mongodb';
import t from 'tap';
import { type AlertDocument, alertsCollection } from '../src/alerts/alert-document.ts';
import { createAlertStore } from '../src/alerts/alert-store.ts';
import { type AppendOptions, appendFacts } from '../src/alerts/append-facts.ts';
import { acknowledgeAlert, noteAlert } from '../src/alerts/handle-alert.ts';
import type { TriggerRecord } from '../src/alerts/trigger-record.ts';
import { uuidV7 } from '../src/drills/uuid-v7.ts';
import { awaitSeal } from '../src/timeline/await-seal.ts';
import { chainFacts, emptyHead } from '../src/timeline/chain-facts.ts';
import { headOf, readFacts, readNewestFacts } from '../src/timeline/read-timeline.ts';
import { createSealStore, type SealStore } from '../src/timeline/seal-store.ts';
import { createTimelineSealer } from '../src/timeline/seal-timelines.ts';
import { type SealedFact, timelineCollection } from '../src/timeline/timeline-document.ts';
import { createTimelineStore } from '../src/timeline/timeline-store.ts';

// Facts leave the alert for the timeline, each once and in order, whatever becomes of those who bring them.

const seed = Date.now() % 2 ** 31;
t.comment(`fast-check seed ${seed}`);

const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const telemetry = createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false });
const deadlineMs = 20_000;
const { db } = await testMongo(t);
await ensureCollections(db, [alertsCollection, timelineCollection]);
const alerts = db.collection<AlertDocument>('alerts');
const timeline = db.collection<SealedFact>('alert_timeline');
const store = createAlertStore({ db, deadlineMs });
const timelines = createTimelineStore({ db, deadlineMs });
const sealStore = createSealStore({ db, deadlineMs });
const createSealer = (own: Partial<SealStore> = {}, monotonicMs?: () => number) =>
  createTimelineSealer({
    ...{ db, deadlineMs, telemetry, log, store: { ...sealStore, ...own } },
    ...(monotonicMs && { monotonicMs }),
  });
const sealer = createSealer();

async function raise(): Promise<string> {
  const record: TriggerRecord = {
    triggerId: uuidV7(),
    userId: `rider-${uuidV7()}`,
    role: 'rider',
    region: 'test',
    acceptedAt: new Date().toISOString(),
    via: 'https',
    isTokenExpired: false,
    trigger: { alertId: 'alert', triggeredAt: new Date().toISOString() },
    outbox: [],
    contacts: [],
  };
  return (await store.accept(record)).alert._id;
}

let told = 0;
function newFact() {
  told += 1;
  return { fact: { factId: `fact-${told}`, kind: 'sent', data: { attempt: told } } };
}

/** @returns names of the facts */
async function append(alertId: string, count = 1, options: AppendOptions = {}): Promise<string[]> {
  const facts = Array.from({ length: count }, newFact);
  await store.changeIf({ _id: alertId }, [{ $set: appendFacts(facts, options) }]);
  return facts.map(({ fact }) => fact.factId);
}

const find = async (alertId: string) => (await store.find(alertId)) as AlertDocument;
const rowsOf = (alertId: string) => timeline.find({ alertId }, { sort: { seq: 1 } }).toArray();

/** What is wrong with an alert of which everything should be sealed. */
async function check(alertId: string, names: readonly string[]): Promise<string[]> {
  const problems: string[] = [];
  const [alert, rows] = [await find(alertId), await rowsOf(alertId)];
  if (alert.facts.length > 0 || alert.hasFacts) problems.push('facts are left in the alert');
  const got = rows.map(({ factId }) => factId);
  if (JSON.stringify(got) !== JSON.stringify(names)) problems.push(`${got} is not ${names}`);
  const again = chainFacts(alertId, emptyHead, rows);
  if (again.some(({ hash }, index) => hash !== rows[index]?.hash)) problems.push('the chain is broken');
  const last = rows.at(-1);
  if (headOf(alert).seq !== last?.seq || headOf(alert).hash !== last.hash)
    problems.push('the head is not the last fact');
  return problems;
}

t.test(
  'facts are moved in the order of the writes, by the clock of the database, and shown all the same',
  async (t) => {
    const alertId = await raise();
    const names = [`raised-${alertId}`, ...(await append(alertId)), ...(await append(alertId, 3))];
    await append(alertId, 1, { onlyIf: { $eq: ['$state', 'resolved'] } });
    // Told late: it stands where it was written, with its own time.
    const late = await append(alertId, 1, { at: { $add: ['$$NOW', -60_000] } });

    t.ok((await sealer.sealDue()) >= 6);

    t.strictSame(await check(alertId, [...names, ...late]), []);
    const rows = await rowsOf(alertId);
    const times = rows.slice(0, -1).map(({ at }) => at.getTime());
    t.strictSame(
      times,
      times.toSorted((a, b) => a - b),
    );
    t.ok((rows.at(-1)?.at.getTime() ?? 0) < (times[0] ?? 0));

    const more = await append(alertId, 2);
    const alert = await find(alertId);
    const shown = await readFacts(timelines, alert, { afterSeq: 0, limit: 100 });
    t.strictSame(
      shown.map(({ factId }) => factId),
      [...names, ...late, ...more],
    );
    t.strictSame(
      shown.map(({ seq, sealed }) => [seq, sealed !== undefined]),
      [1, 2, 3, 4, 5, 6, 7, 8].map((seq) => [seq, seq <= 6]),
    );
    t.match(await readFacts(timelines, alert, { afterSeq: 5, limit: 2 }), [{ seq: 6 }, { seq: 7, sealed: undefined }]);
    t.match(await readNewestFacts(timelines, alert, 3), [{ seq: 6 }, { seq: 7 }, { seq: 8 }]);
  },
);

t.test('sealers that run at once, die anywhere or come late: each fact once, in order', async () => {
  const step = fc.constantFrom('append', 'append', 'seal', 'both', 'dies before', 'dies between', 'late');
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 7 }), async (steps) => {
      const problems = await runSteps(steps);
      if (problems.length > 0) throw new Error(problems.join(', '));
    }),
    { seed, numRuns: process.env.HUSHRYD_FULL === '1' ? 300 : 12, endOnFailure: true },
  );
});

async function runSteps(steps: readonly string[]): Promise<string[]> {
  const alertId = await raise();
  const names = [`raised-${alertId}`];
  const late: (() => Promise<void>)[] = [];
  const dies = () => Promise.reject(new Error('killed'));
  for (const step of steps) {
    if (step === 'append') names.push(...(await append(alertId, 2)));
    if (step === 'seal') await sealer.sealAlert(alertId);
    if (step === 'both') {
      const [more] = await Promise.all([append(alertId), sealer.sealDue(), createSealer().sealDue()]);
      names.push(...more);
    }
    if (step === 'dies before')
      await createSealer({ insert: dies })
        .sealAlert(alertId)
        .catch(() => 0);
    if (step === 'dies between')
      await createSealer({ takeOut: dies })
        .sealAlert(alertId)
        .catch(() => 0);
    if (step === 'late') {
      const zombie = createSealer({ takeOut: async (takings) => void late.push(() => sealStore.takeOut(takings)) });
      // It stops where it would have taken out: its turn goes on when others have been there.
      const turn = zombie.sealAlert(alertId);
      await turn;
      names.push(...(await append(alertId)));
      await sealer.sealAlert(alertId);
      names.push(...(await append(alertId)));
      for (const takeOut of late.splice(0)) await takeOut();
    }
  }
  await sealer.sealDue();
  return check(alertId, names);
}

t.test('ten thousand facts leave the alert small', async (t) => {
  const alertId = await raise();
  const names = [`raised-${alertId}`];
  // Its turns have no end, however slow the machine.
  const patient = createSealer({}, () => 0);
  let largest = 0;
  for (let round = 0; round < 20; round += 1) {
    names.push(...(await append(alertId, 500)));
    if (round % 2 === 1) {
      await patient.sealDue();
      largest = Math.max(largest, BSON.calculateObjectSize(await find(alertId)));
    }
  }

  t.strictSame(await check(alertId, names), []);
  t.equal(names.length, 10_001);
  t.ok(largest < 4_096, `${largest} bytes`);
});

t.test('a fact that is told again after it was sealed is known, or stands there as repeated', async (t) => {
  const alertId = await raise();
  const work = {
    store,
    announce: async () => true,
    sealer: { seal: (text: string) => text },
  };
  const order = { alertId, by: 'olga', authorise: () => undefined };
  await noteAlert(work, { ...order, noteId: 'one', text: 'on the phone' });
  await acknowledgeAlert(work, order);
  await sealer.sealAlert(alertId);

  const noted = await noteAlert(work, { ...order, noteId: 'one', text: 'on the phone' });
  t.equal(noted.facts.length, 0, 'a repeated note is one');
  const fact = { factId: 'note-olga-one', kind: 'note' };
  await store.changeIf({ _id: alertId }, [{ $set: appendFacts([{ fact }]) }]);
  await sealer.sealAlert(alertId);

  const rows = await rowsOf(alertId);
  t.match(rows.at(-1), { kind: 'repeated', seq: 4, data: { factId: 'note-olga-one' } });
  t.equal(rows.filter(({ kind }) => kind === 'note').length, 1);
});

t.test('an order whose write was not answered finds its fact in the timeline', async (t) => {
  const alertId = await raise();
  const announced: string[] = [];
  const work = {
    store: {
      ...store,
      async changeIf(...change: Parameters<typeof store.changeIf>) {
        await store.changeIf(...change);
        await sealer.sealAlert(alertId);
        throw Object.assign(new Error('cut off'), { name: 'TimeoutError' });
      },
    },
    announce: async ({ name }: { name: string }) => announced.push(name) > 0,
  };

  const changed = await acknowledgeAlert(work, { alertId, by: 'olga', authorise: () => undefined });

  t.match(changed, { state: 'acknowledged', version: 2 });
  t.same(announced, ['sos.acknowledged'], 'it is announced all the same');
  t.equal((await rowsOf(alertId)).filter(({ kind }) => kind === 'acknowledged').length, 1);
});

t.test('where the timeline says something else nothing is sealed over it, and other alerts do not wait', async (t) => {
  const [alertId, other] = [await raise(), await raise()];
  const names = await append(alertId);
  await sealer.sealAlert(other);
  await timeline.insertOne({
    ...(chainFacts(alertId, emptyHead, [{ factId: 'forged', kind: 'note', at: new Date() }])[0] as SealedFact),
  });
  const more = await append(other);

  await sealer.sealDue();

  t.equal((await find(alertId)).facts.length, 1 + names.length);
  t.strictSame(await check(other, [`raised-${other}`, ...more]), []);
  await t.rejects(awaitSeal({ sealer, store }, { alertId, seq: 2, withinMs: 300 }), { code: 'timeline_not_sealed' });
  t.match((await awaitSeal({ sealer, store }, { alertId: other, seq: 2, withinMs: 300 })).seq, 2);
  t.match(
    await telemetry.registry.getSingleMetricAsString('timeline_conflicts_total'),
    /timeline_conflicts_total\{.*\} [1-9]/,
  );
});

t.test('a turn has its time, and the next one goes on behind it, whatever could not be sealed before', async (t) => {
  await sealer.sealDue();
  const raised = [];
  for (let nth = 0; nth < 40; nth += 1) raised.push(await raise());
  const stuck = raised.slice(0, 16);
  for (const alertId of stuck) {
    await timeline.insertOne({
      ...(chainFacts(alertId, emptyHead, [{ factId: 'forged', kind: 'note', at: new Date() }])[0] as SealedFact),
    });
  }
  let nowMs = 0;
  const reads: number[] = [];
  const read: SealStore['read'] = (alertIds, options) => {
    nowMs += 1_000;
    reads.push(alertIds.length);
    return sealStore.read(alertIds, options);
  };
  const busy = createSealer({ read }, () => nowMs);

  await busy.sealDue();
  t.same(reads, [16], 'one command a turn, where each takes long');
  for (let turn = 1; turn < 4; turn += 1) await busy.sealDue();

  for (const alertId of raised.slice(16)) t.strictSame(await check(alertId, [`raised-${alertId}`]), []);
  t.equal((await find(stuck[0] as string)).facts.length, 1);
});

t.test('an alert with more facts than a turn has time for is sealed over several', async (t) => {
  const alertId = await raise();
  const names = [`raised-${alertId}`, ...(await append(alertId, 500))];
  let nowMs = 0;
  const read: SealStore['read'] = (alertIds, options) => {
    nowMs += 1_000;
    return sealStore.read(alertIds, options);
  };
  const busy = createSealer({ read, findWaiting: async () => [alertId] }, () => nowMs);

  await busy.sealDue();
  t.equal((await find(alertId)).facts.length, 301);
  t.match(
    await telemetry.registry.getSingleMetricAsString('timeline_waiting_alerts'),
    /timeline_waiting_alerts\{.*\} [1-9]/,
  );
  for (let turn = 1; turn < 4; turn += 1) await busy.sealDue();

  t.strictSame(await check(alertId, names), []);
});

t.test('an update that told of nothing leaves nothing to be done', async (t) => {
  const alertId = await raise();
  await sealer.sealAlert(alertId);
  await append(alertId, 0);
  await sealer.sealDue();
  t.match(await find(alertId), { hasFacts: false, timelineHead: { seq: 1 } });
});

t.test('the sealer looks at alerts with facts alone', async (t) => {
  const plan = await alerts
    .find({ hasFacts: true, _id: { $gt: '' } })
    .sort({ _id: 1 })
    .explain('queryPlanner');
  t.match(JSON.stringify(plan), /has_facts/);
});
