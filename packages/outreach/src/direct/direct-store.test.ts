import { neverCrash } from '@hushryd/platform/lifecycle/crash-points';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import t from 'tap';
import { planOutbox } from '../alerts/plan-outbox.ts';
import type { TriggerRecord } from '../alerts/trigger-record.ts';
import { uuidV7 } from '../drills/uuid-v7.ts';
import { createDirectStore } from './direct-store.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const startMs = Date.parse('2026-03-01T08:00:00.000Z');
const fiveMinutesMs = 300_000;

/** A store whose clock a test moves, and may set. */
function openStore() {
  let passedMs = 0;
  let setMs = 0;
  const now = () => startMs + passedMs + setMs;
  const store = createDirectStore({
    journal: {
      append: async () => undefined,
      pending: () => [],
      settle: async () => undefined,
      markStored: () => undefined,
      isStored: () => false,
    },
    signals: { read: async () => ({ isStored: false }) },
    settings: { leaseMs: 20_000, escalateEveryMs: 60_000 },
    crashAt: neverCrash,
    log,
    now,
    elapsedMs: () => passedMs,
  });
  return {
    store,
    press(userId: string): string {
      const triggerId = uuidV7();
      const time = new Date(now()).toISOString();
      const record: TriggerRecord = {
        ...{ triggerId, userId, role: 'rider', region: 'test', acceptedAt: time, via: 'https', isTokenExpired: false },
        ...{ trigger: { alertId: triggerId, triggeredAt: time }, contacts: [], contactsVersion: 1 },
        outbox: planOutbox({ contacts: [] }),
      };
      store.take(record, { isPersisted: true, areOperatorsTold: true });
      return triggerId;
    },
    pass(ms: number) {
      passedMs += ms;
    },
    setClock(byMs: number) {
      setMs += byMs;
    },
  };
}

/** Takes what is due, and says how far the escalation has come. */
const levelOf = async ({ store }: ReturnType<typeof openStore>, alertId: string) => {
  for (const dueId of store.dueIds()) await store.claim(dueId);
  return store.get(alertId)?.document.escalation.level;
};

t.test('an escalation waits no longer because the clock was set back', async (t) => {
  const node = openStore();
  const alertId = node.press('rider-1');
  t.equal(await levelOf(node, alertId), 0);

  node.pass(10_000);
  node.setClock(-fiveMinutesMs);
  t.equal(await levelOf(node, alertId), 0, 'nor less long');
  node.pass(19_000);
  t.equal(await levelOf(node, alertId), 0, 'after 29 s');
  node.pass(1_000);
  t.equal(await levelOf(node, alertId), 1, 'after 30 s');

  node.setClock(-fiveMinutesMs);
  node.pass(59_000);
  t.equal(await levelOf(node, alertId), 1, 'a minute has not passed since');
  node.pass(1_000);
  t.equal(await levelOf(node, alertId), 2, 'and now it has');
});

t.test('an alert that came after the clock was set back goes by the new time', async (t) => {
  const node = openStore();
  const before = node.press('rider-1');
  node.setClock(-fiveMinutesMs);
  const after = node.press('rider-2');
  node.pass(29_000);
  t.same([await levelOf(node, before), await levelOf(node, after)], [0, 0]);
  node.pass(1_000);
  t.same([await levelOf(node, before), await levelOf(node, after)], [1, 1]);
});

t.test('a clock that was set ahead makes nobody wait', async (t) => {
  const node = openStore();
  const alertId = node.press('rider-1');
  node.setClock(fiveMinutesMs);
  t.equal(await levelOf(node, alertId), 1);
  node.pass(60_000);
  t.equal(await levelOf(node, alertId), 2);
});
