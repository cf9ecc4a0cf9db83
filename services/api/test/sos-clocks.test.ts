import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { AlertDocument } from '@hushryd/outreach/alerts/alert-document';
import type { AlertAttemptDocument } from '@hushryd/outreach/dispatch/alert-attempts';
import { freePort } from '@hushryd/platform/engines/ports';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { startService } from '@hushryd/platform/testing/service-process';
import { clockOff } from '@hushryd/platform/testing/skewed-clock';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { type Person, playEmergencies } from './played-emergencies.ts';
import { createCollections, environmentOf, onCallBody, operator } from './test-api.ts';

// Clocks that are set while processes run, five minutes ahead or back: alerts are taken, sent and escalated by the database's clock. Nobody
// with a right clock helps them.

const isFull = process.env.HUSHRYD_FULL === '1';
const inFullSet = !isFull && 'in the full set: npm run test:faults';

const fiveMinutesMs = 300_000;
const soon = { withinMs: 20_000 };
/** The mistakes this is about are of minutes. */
const nearMs = 30_000;

const redis = await testRedis(t);
const mongo = await testMongo(t);
await createCollections(mongo.db);
const alerts = mongo.db.collection<AlertDocument>('alerts');
const emergencies = await playEmergencies(t, {
  db: mongo.db,
  environment: environmentOf({ redis, mongo }),
});
await emergencies.api.call('PUT /v1/on-call', { as: operator, body: onCallBody(0) });
const people = await emergencies.newPeople(9);
await emergencies.api.close();

/** A worker and an api whose clocks were right when they started. */
async function startPair(offMs: number): Promise<{ url: string; end(): Promise<unknown> }> {
  const nodeArgs = clockOff(offMs, { from: 'SIGUSR2' });
  const port = await freePort();
  const main = (service: string) => fileURLToPath(new URL(`../../${service}/dist/main.js`, import.meta.url));
  const ready = { readyWithinMs: 60_000, nodeArgs };
  const pair = await Promise.all([
    startService(t, {
      ...ready,
      name: 'worker',
      main: main('worker'),
      env: emergencies.workerEnvironment,
      ready: 'ready',
    }),
    startService(t, {
      ...ready,
      name: 'api',
      main: main('api'),
      env: { ...emergencies.environment, PORT: String(port) },
      ready: 'listening',
    }),
  ]);
  for (const service of pair) service.signal('SIGUSR2');
  return { url: `http://127.0.0.1:${port}`, end: () => Promise.all(pair.map((service) => service.kill9())) };
}

const alertOf = ({ alertId }: Person) => alerts.findOne({ triggerIds: alertId });

/** Its next step comes at this moment, by the right time. */
const escalatesAt = ({ alertId }: Person, at: Date) =>
  alerts.updateOne({ triggerIds: alertId }, { $set: { 'escalation.nextAt': at, workAt: at } });

async function pressAt(url: string, some: readonly Person[]): Promise<void> {
  const replies = await Promise.all(some.map((person) => emergencies.raiseAt(url, person)));
  t.same(
    replies.map(({ status }) => status),
    some.map(() => 201),
  );
  await waitFor(() => some.every((person) => emergencies.textsTo(person).length > 0), { ...soon, what: 'their texts' });
}

for (const [name, offMs, skip] of [
  ['ahead', fiveMinutesMs, inFullSet],
  ['back', -fiveMinutesMs, false],
] as const) {
  t.test(`five minutes ${name}`, { skip }, async (t) => {
    const pair = await startPair(offMs);
    const some = people.splice(0, 3);
    const [person] = some as [Person, ...Person[]];
    // Both companies fail once: the first is asked again after a pause, which is one of a second and not of minutes.
    for (const provider of ['twilio-sms', 'msg91'] as const) {
      emergencies.sandbox.faults.set({ provider, mode: '500', recipient: person.phone, count: 1 });
    }

    await pressAt(pair.url, some);

    for (const one of some) {
      const alert = await alertOf(one);
      t.ok(Math.abs((alert?.receivedAt.getTime() ?? 0) - Date.now()) < nearMs, 'it was received at the right time');
      t.equal(alert?.escalation.level, 0, 'nobody is called yet');
      t.ok(Math.abs((alert?.escalation.nextAt?.getTime() ?? 0) - Date.now() - 30_000) < nearMs);
    }
    await escalatesAt(person, new Date(Date.now() + 3_000));
    await sleep(1_500);
    t.equal((await alertOf(person))?.escalation.level, 0, 'not before its time');
    await waitFor(async () => (await alertOf(person))?.escalation.level === 1, { ...soon, what: 'its step' });
    t.same(emergencies.findProblems(some, { mostTexts: 1 }), []);
    await pair.end();
  });
}

t.test('one ahead and one back: what one of them sends the other one leaves alone', { skip: inFullSet }, async (t) => {
  const [ahead, back] = await Promise.all([startPair(fiveMinutesMs), startPair(-fiveMinutesMs)]);
  // No answer for as long as a call may take: meanwhile all of them look several times.
  for (const { phone: recipient } of people) {
    emergencies.sandbox.faults.set({ provider: 'twilio-sms', mode: 'hang', recipient, count: 1 });
  }

  const some = people.splice(0, 3);
  await pressAt(ahead.url, some.slice(0, 2));
  await pressAt(back.url, some.slice(2));

  for (const { alertId } of some) {
    const sms = await waitFor(
      async () => {
        const made = await mongo.db
          .collection<AlertAttemptDocument>('alert_attempts')
          .find({ alertId, channel: 'sms' })
          .toArray();
        return made.length === 2 ? made : undefined;
      },
      { ...soon, what: 'both attempts' },
    );
    t.same(
      sms.map(({ provider }) => provider),
      ['twilio-sms', 'msg91'],
      'each company was asked once',
    );
    const alert = await alerts.findOne({ triggerIds: alertId });
    const entry = alert?.outbox.find(({ channel }) => channel === 'sms');
    t.equal(entry?.fence, 1, 'it was taken up once');
  }
});
