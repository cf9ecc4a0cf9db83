import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@hushryd/platform/errors/app-error';
import { neverCrash } from '@hushryd/platform/lifecycle/crash-points';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { testMongo } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { type AlertDocument, alertsCollection } from '../src/alerts/alert-document.ts';
import { createAlertMetrics } from '../src/alerts/alert-metrics.ts';
import { type AlertStore, createAlertStore } from '../src/alerts/alert-store.ts';
import { createRaiseSos, type RaiseSosParts, type RaiseTiming } from '../src/alerts/raise-sos.ts';
import type { TriggerRecord } from '../src/alerts/trigger-record.ts';
import { personOrAlertOf } from '../src/direct/direct-records.ts';
import { uuidV7 } from '../src/drills/uuid-v7.ts';
import { openJournal } from '../src/journal/journal.ts';

// A phone that hears nothing sends its press again, while the database still has to say what became of the first try.

const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const { db } = await testMongo(t);
await ensureCollections(db, [alertsCollection]);
const store = createAlertStore({ db, deadlineMs: 10_000 });
const alerts = db.collection<AlertDocument>('alerts');
/** Nobody is answered by time alone. */
const patient = { intakeAfterMs: 30_000, answerAfterMs: 30_000 };
/** Longer than a write of its own takes. */
const meanwhileMs = 300;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const unknown = () => new AppError('database_unavailable', { detail: 'unknown' });

function createGate() {
  let open = (): void => undefined;
  const isOpen = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { isOpen, open };
}

/** A node with a real journal, whose writes a test decides about one by one; without a word they reach the real database. */
async function openNode(
  t: { teardown(work: () => unknown): unknown },
  { timing, ...parts }: { timing: Partial<RaiseTiming> } & Partial<Pick<RaiseSosParts, 'intake' | 'readOutreachList'>>,
) {
  const rootDir = mkdtempSync(join(tmpdir(), 'hushryd-repeated-'));
  t.teardown(() => rmSync(rootDir, { recursive: true, force: true }));
  const journal = await openJournal({ settings: { rootDir, maxBytes: 1_000_000 }, ownerOf: personOrAlertOf, log });
  t.teardown(() => journal.close());
  /** How the next writes end. */
  const faults: (() => Promise<never>)[] = [];
  const writes: TriggerRecord[] = [];
  const taken: TriggerRecord[] = [];
  const handedOver: string[] = [];
  const told: string[] = [];
  const watched: Pick<AlertStore, 'accept'> = {
    async accept(record, options) {
      writes.push(record);
      await faults.shift()?.();
      return store.accept(record, options);
    },
  };
  const raiseSos = createRaiseSos({
    store: watched,
    journal,
    intake: { add: async () => false },
    readOutreachList: async () => ({ contacts: [], version: 1 }),
    sealer: { seal: (text) => text },
    async announce({ name, isProvisional }) {
      told.push(isProvisional ? `${name}, provisional` : name);
      return true;
    },
    direct: {
      holds: (id) => taken.some(({ triggerId }) => triggerId === id),
      take: (record) => void taken.push(record),
      handOver: async ({ _id }) => void handedOver.push(_id),
    },
    crashAt: neverCrash,
    metrics: createAlertMetrics(createTelemetry({ service: 'test', instanceId: uuidV7(), withProcessMetrics: false })),
    log,
    region: 'test',
    timing,
    ...parts,
  });
  const press = (userId: string, alertId: string) =>
    raiseSos.raise({
      identity: { userId, role: 'rider' },
      trigger: { alertId, triggeredAt: new Date().toISOString() },
      isTokenExpired: false,
      via: 'https',
    });
  return { press, faults, writes, taken, handedOver, told, settled: raiseSos.settled };
}

const newPress = () => [`rider-${uuidV7()}`, uuidV7()] as const;

t.test(
  'a press that comes again while it is written shares the write: nobody waits until it may be sent',
  async (t) => {
    const node = await openNode(t, { timing: patient });
    const [userId, alertId] = newPress();
    const gate = createGate();
    node.faults.push(async () => {
      await gate.isOpen;
      throw unknown();
    });

    const first = node.press(userId, alertId);
    await waitFor(() => node.writes.length > 0, { withinMs: 20_000, what: 'the first write' });
    const again = node.press(userId, alertId);
    await pause(meanwhileMs);
    t.equal(node.writes.length, 1);
    gate.open();

    t.match(await first, { alertId, durability: 'majority' });
    t.same(await again, await first);
    await node.settled();
    t.same(node.told, ['sos.raised'], 'the operators hear of it once');
    const alert = await alerts.findOne({ _id: alertId });
    t.equal(alert?.escalation.takenBy, undefined, 'it is held for nobody');
    t.equal(alert?.workAt?.getTime(), alert?.receivedAt.getTime(), 'it is due at once');
    t.same(node.taken, []);
  },
);

t.test('a press that comes again while its contacts are read is the same press', async (t) => {
  const gate = createGate();
  let reads = 0;
  const node = await openNode(t, {
    timing: patient,
    async readOutreachList() {
      reads += 1;
      await gate.isOpen;
      return { contacts: [], version: 1 };
    },
  });
  const [userId, alertId] = newPress();

  const both = Promise.all([node.press(userId, alertId), node.press(userId, alertId)]);
  gate.open();
  const [first, again] = await both;

  t.same(again, first);
  t.same([reads, node.writes.length], [1, 1]);
});

t.test(
  'a database that hangs keeps no try from its answer, and the alert is sent by this node once it has failed',
  async (t) => {
    const node = await openNode(t, { timing: { intakeAfterMs: 20, answerAfterMs: 50 } });
    const [userId, alertId] = newPress();
    const gate = createGate();
    node.faults.push(async () => {
      await gate.isOpen;
      throw unknown();
    });

    const first = await node.press(userId, alertId);
    const again = await node.press(userId, alertId);

    // Both were answered while the one write is still under way.
    t.match(first, { alertId, durability: 'local', state: 'open' });
    t.same(again, first);
    t.same([node.writes.length, node.taken], [1, []]);

    gate.open();
    await node.settled();
    t.same(
      node.taken.map(({ triggerId }) => triggerId),
      [alertId],
    );
    t.same(node.told, ['sos.raised, provisional'], 'the operators hear of it once');

    // The next try finds the database again: it is held until this node has handed it over.
    t.match(await node.press(userId, alertId), { alertId, acceptedAt: first.acceptedAt });
    await waitFor(() => node.handedOver.length > 0, { withinMs: 20_000, what: 'the hand-over' });
    const alert = await alerts.findOne({ _id: alertId });
    t.match(alert, { escalation: { takenBy: 'direct' } });
    t.same(node.handedOver, [alertId]);
  },
);

t.test('a later press of the person whose tries share a write is told once', async (t) => {
  const node = await openNode(t, { timing: patient });
  const [userId, alertId] = newPress();
  await node.press(userId, alertId);
  await alerts.updateOne({ _id: alertId }, { $set: { lastPressedAt: new Date(Date.now() - 120_000) } });
  const gate = createGate();
  node.faults.push(() => gate.isOpen as Promise<never>);

  const laterId = uuidV7();
  const tries = Promise.all([node.press(userId, laterId), node.press(userId, laterId), node.press(userId, laterId)]);
  gate.open();
  const replies = await tries;
  await node.settled();

  t.same(
    replies.map((reply) => reply.alertId),
    [alertId, alertId, alertId],
  );
  t.same(node.told, ['sos.raised', 'sos.pressed_again']);
});

t.test('what a later try has brought meanwhile is not sent by this node too', { timeout: 60_000 }, async (t) => {
  const gate = createGate();
  let adds = 0;
  const node = await openNode(t, {
    timing: { intakeAfterMs: 20_000, answerAfterMs: 0 },
    intake: {
      async add() {
        adds += 1;
        await gate.isOpen;
        return false;
      },
    },
  });
  const [userId, alertId] = newPress();
  node.faults.push(async () => {
    throw unknown();
  });

  const first = node.press(userId, alertId);
  await waitFor(() => adds > 0, { withinMs: 20_000, what: 'the end of the first write' });
  t.match(await node.press(userId, alertId), { durability: 'majority' });
  gate.open();

  t.match(await first, { alertId, durability: 'local' });
  await node.settled();
  t.same(node.taken, []);
});
