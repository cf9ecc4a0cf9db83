import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { AlertDocument } from '@hushryd/outreach/alerts/alert-document';
import type { AlertAttemptDocument } from '@hushryd/outreach/dispatch/alert-attempts';
import { ownRedis, testMongo } from '@hushryd/platform/testing/engines';
import { createRandom } from '@hushryd/platform/testing/random';
import { startService } from '@hushryd/platform/testing/service-process';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { Redis } from 'ioredis';
import t from 'tap';
import { playEmergencies } from './played-emergencies.ts';
import { createCollections, environmentOf, onCallBody, operator } from './test-api.ts';

// G5 in real time: 30 s after a press that nobody has acknowledged, and every 60 s from then on, while Redis is emptied again and again and
// workers are killed at random.

const pressCount = 6;
const steps = 3;
const firstAfterMs = 30_000;
const everyMs = 60_000;
const toleranceMs = 2_000;
/** Of a kill between a step and its call. */
const leaseMs = 5_000;
/** Two cores are shared with other tests. */
const slackMs = 1_000;

const redis = await ownRedis(t);
const mongo = await testMongo(t);
await createCollections(mongo.db);
const alerts = mongo.db.collection<AlertDocument>('alerts');
const attempts = mongo.db.collection<AlertAttemptDocument>('alert_attempts');
const emergencies = await playEmergencies(t, {
  db: mongo.db,
  environment: environmentOf({ redis: { url: redis.url, prefix: 'own:' }, mongo }),
});
const startWorker = () =>
  startService(t, {
    name: 'worker',
    main: fileURLToPath(new URL('../../worker/dist/main.js', import.meta.url)),
    env: emergencies.workerEnvironment,
    ready: 'ready',
    readyWithinMs: 60_000,
  });

t.test('whoever is on call is called, level by level, in time', { timeout: 400_000 }, async (t) => {
  const seed = Date.now() % 2 ** 31;
  t.comment(`seed ${seed}`);
  const random = createRandom(seed);
  const { api } = emergencies;
  await api.call('PUT /v1/on-call', { as: operator, body: onCallBody(0) });
  const workers = await Promise.all([startWorker(), startWorker()]);
  const admin = new Redis(redis.url);
  t.teardown(() => admin.disconnect());
  const people = await emergencies.newPeople(pressCount);
  for (const person of people) {
    await emergencies.raiseAt(api.url, person);
    await sleep(random() * 1_000);
  }

  let kills = 0;
  const stop = new AbortController();
  const trouble = (async () => {
    for (; !stop.signal.aborted; kills += 1) {
      await sleep(2_000 + random() * 3_000);
      const at = Math.floor(random() * workers.length);
      await workers[at]?.kill9();
      if (random() < 0.5) await admin.flushall();
      workers[at] = await startWorker();
    }
  })();
  /** When each alert was first seen at each level. */
  const seenAtMs = new Map<string, number[]>();
  await waitFor(
    async () => {
      const found = await alerts.find({}, { projection: { 'escalation.level': 1 } }).toArray();
      for (const { _id, escalation } of found) {
        const seen = seenAtMs.get(_id) ?? [];
        while (seen.length < escalation.level) seen.push(Date.now());
        seenAtMs.set(_id, seen);
      }
      return seenAtMs.size === pressCount && [...seenAtMs.values()].every((seen) => seen.length >= steps);
    },
    { withinMs: firstAfterMs + steps * everyMs, what: `${steps} steps of every escalation` },
  );
  await sleep(leaseMs + toleranceMs);
  stop.abort();
  await trouble;

  const lateMs: number[] = [];
  const callsLateMs: number[] = [];
  for (const { _id: alertId, receivedAt } of await alerts.find().toArray()) {
    const calls = await attempts.find({ alertId, channel: 'voice' }).toArray();
    for (let level = 1; level <= steps; level += 1) {
      const dueMs = receivedAt.getTime() + firstAfterMs + (level - 1) * everyMs;
      lateMs.push((seenAtMs.get(alertId)?.[level - 1] ?? Number.POSITIVE_INFINITY) - dueMs);
      const starts = calls.filter(({ recipient }) => recipient.kind === 'on_call' && recipient.level === level);
      callsLateMs.push(Math.min(...starts.map(({ startedAtMs }) => startedAtMs)) - dueMs);
    }
  }
  t.comment(
    `steps ${Math.min(...lateMs)} to ${Math.max(...lateMs)} ms late, calls at most ${Math.max(...callsLateMs)}, ${kills} workers killed`,
  );
  t.ok(
    lateMs.every((late) => late >= -toleranceMs && late <= toleranceMs + slackMs),
    'each step in its time',
  );
  t.ok(
    callsLateMs.every((late) => late <= toleranceMs + leaseMs + slackMs),
    'and somebody was called at each',
  );
  t.same(emergencies.findProblems(people), []);
});

t.test('an acknowledgement ends it', async (t) => {
  const open = await alerts.find({}).toArray();
  for (const { _id: alertId } of open) {
    await emergencies.api.call(`POST /v1/sos/${alertId}/acknowledge`, { as: operator, body: {} });
  }

  const ended = await alerts.find().toArray();
  t.ok(ended.every(({ state, escalation }) => state === 'acknowledged' && escalation.nextAt === null));
});
