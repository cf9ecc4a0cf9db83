import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { AlertDocument } from '@hushryd/outreach/alerts/alert-document';
import { dispatchCrashPoints } from '@hushryd/outreach/alerts/crash-points';
import { readAlertAttemptId } from '@hushryd/outreach/dispatch/attempt-id';
import { freePort } from '@hushryd/platform/engines/ports';
import { ownMongo, testRedis } from '@hushryd/platform/testing/engines';
import { startService } from '@hushryd/platform/testing/service-process';
import { waitFor, within } from '@hushryd/platform/testing/wait-for';
import { startSandbox } from '@hushryd/providers/sandbox/start-sandbox';
import { MongoClient } from 'mongodb';
import t from 'tap';
import { press } from './sos-desk.ts';
import { asRider, contactBody, createCall, createCollections, environmentOf, newId, startTestApi } from './test-api.ts';

// Whoever sends alerts is killed at every point of it: everybody is reached all the same, nobody more than twice, and nobody before the alert
// is persisted. HUSHRYD_FULL=1: 200 alerts a point instead of 10.

const alertsAPoint = process.env.HUSHRYD_FULL === '1' ? 200 : 10;
const recovery = { withinMs: 30_000 };
/** A kill in the midst of a send costs the lease of 5 s and a sweep; a kill before anybody took the alert up, the sweep. */
const afterWorkerKillMs = 6_000;
const afterApiKillMs = 3_000;
/** Two cores are shared with other tests, and these waits begin at the kill. */
const slackMs = 4_000;
/** The api sends some of them too. */
const pass = Math.ceil(alertsAPoint / 4);

const mongo = await ownMongo(t);
const client = new MongoClient(mongo.url);
t.teardown(() => client.close());
const db = client.db('dispatch');
await createCollections(db);
const redis = await testRedis(t);

/** Asked before a company answers a call: is there a majority for what it is about? */
const alerts = db.collection<AlertDocument>('alerts', { readConcern: { level: 'majority' } });
const observer = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', async () => {
    const { attemptId = '' } = JSON.parse(Buffer.concat(chunks).toString()) as { attemptId?: string };
    const alertId = readAlertAttemptId(attemptId)?.alertId;
    // What acknowledges or resolves an incident names the incident alone.
    const isHeld = alertId === undefined || (await alerts.findOne({ triggerIds: alertId })) !== null;
    response.writeHead(isHeld ? 204 : 409).end();
  });
});
observer.listen(0, '127.0.0.1');
await once(observer, 'listening');
t.teardown(() => observer.close());
const observerUrl = `http://127.0.0.1:${(observer.address() as AddressInfo).port}/`;

const port = await freePort();
const webhookBaseUrl = `http://127.0.0.1:${port}/v1/webhooks`;
const sandbox = await startSandbox({ observerUrl, webhookBaseUrl, maxMessages: 100_000, receiptDelayMs: 20 });
t.teardown(() => sandbox.close());
const environment = {
  ...environmentOf({ redis, mongo: { url: mongo.url, database: db.databaseName } }),
  ...sandbox.environment,
  WEBHOOK_BASE_URL: webhookBaseUrl,
  MSG91_TEMPLATES: 'sos_alert.en=dlt-sos-alert-en',
  LOG_LEVEL: 'info',
};
const survivor = await startTestApi(t, { ...environment, LOG_LEVEL: 'silent', PORT: String(port) });

interface Person {
  userId: string;
  alertId: string;
  phone: string;
}
let people = 0;

/** Riders with a contact each who gets a text. */
async function newPeople(): Promise<Person[]> {
  return Promise.all(
    Array.from({ length: alertsAPoint }, async () => {
      people += 1;
      const userId = newId('rider');
      const phone = `+1555${String(1_000_000 + people)}`;
      const put = await survivor.call('PUT /v1/users/me/contacts/asha', {
        as: asRider(userId),
        body: { ...contactBody, phone },
      });
      if (put.status >= 300) throw new Error(`contact refused: ${JSON.stringify(put.body)}`);
      return { userId, phone, alertId: press().alertId };
    }),
  );
}

const raiseAt = (url: string, { userId, alertId }: Person) =>
  createCall(url)('POST /v1/sos', { as: asRider(userId), body: press({ alertId }) });
const textsTo = ({ phone }: Person) => sandbox.messages.list({ recipient: phone });

/** What is wrong with them; nothing, for the product as it ships. */
async function findProblems(all: readonly Person[]): Promise<string[]> {
  const problems: string[] = [];
  for (const person of all) {
    const texts = textsTo(person);
    if (texts.length === 0) problems.push('somebody was never told');
    // One duplicate a lease that was lost.
    if (texts.length > 2) problems.push('somebody was told more than twice');
  }
  if (sandbox.stats().observer.refused > 0) problems.push('somebody was told before the alert was persisted');
  return [...new Set(problems)];
}

async function reachAll(
  all: readonly Person[],
  { what, killedAtMs, byMs }: { what: string; killedAtMs: number; byMs: number },
) {
  await waitFor(() => all.every((person) => textsTo(person).length > 0), { ...recovery, what });
  const latestMs = Math.max(...all.map((person) => textsTo(person)[0]?.receivedAtMs ?? 0));
  return latestMs - killedAtMs <= byMs + slackMs;
}

t.test('a worker killed at every point of sending', async (t) => {
  for (const point of dispatchCrashPoints) {
    const doomed = await startService(t, {
      name: 'worker',
      main: fileURLToPath(new URL('../../worker/dist/main.js', import.meta.url)),
      env: {
        ...environment,
        METRICS_PORT: '0',
        ROADS_TTL_DAYS: '90',
        HUSHRYD_FAULTS: '1',
        CRASH_AT: `${point}:${pass}`,
      },
      ready: 'ready',
      readyWithinMs: 60_000,
    });
    const all = await newPeople();
    await Promise.all(all.map((person) => raiseAt(survivor.url, person)));

    const { signal } = await within(doomed.exited, { ...recovery, what: `the end at ${point}` });
    const isInTime = await reachAll(all, {
      what: `everybody, after ${point}`,
      killedAtMs: Date.now(),
      byMs: afterWorkerKillMs,
    });

    t.equal(signal, 'SIGKILL', `it died at ${point}`);
    t.ok(isInTime, `${point}: everybody was told in time`);
    t.same(await findProblems(all), [], point);
  }
});

t.test('an api killed when it has persisted: others find what it has told nobody of', async (t) => {
  const doomedPort = await freePort();
  const doomed = await startService(t, {
    name: 'api',
    main: fileURLToPath(new URL('../dist/main.js', import.meta.url)),
    env: { ...environment, PORT: String(doomedPort), HUSHRYD_FAULTS: '1', CRASH_AT: `after_persist:${alertsAPoint}` },
    ready: 'listening',
    readyWithinMs: 60_000,
  });
  const all = await newPeople();
  await Promise.all(all.map((person) => raiseAt(`http://127.0.0.1:${doomedPort}`, person).catch(() => undefined)));

  await within(doomed.exited, { ...recovery, what: 'the end' });
  const isInTime = await reachAll(all, { what: 'everybody', killedAtMs: Date.now(), byMs: afterApiKillMs });

  t.ok(isInTime, 'everybody was told in time');
  t.same(await findProblems(all), []);
});

t.test('negative control: an api that tells people before it persists is found out', async (t) => {
  const hastyPort = await freePort();
  await startService(t, {
    name: 'api',
    main: fileURLToPath(new URL('./hasty-main.ts', import.meta.url)),
    env: { ...environment, PORT: String(hastyPort) },
    ready: 'listening',
    readyWithinMs: 60_000,
  });
  const all = await newPeople();

  await Promise.all(all.map((person) => raiseAt(`http://127.0.0.1:${hastyPort}`, person)));

  await reachAll(all, { what: 'everybody', killedAtMs: Date.now(), byMs: afterApiKillMs });
  t.same(await findProblems(all), ['somebody was told before the alert was persisted']);
});
