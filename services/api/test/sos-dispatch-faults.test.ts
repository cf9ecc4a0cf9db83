import { fileURLToPath } from 'node:url';
import { dispatchCrashPoints } from '@hushryd/outreach/alerts/crash-points';
import { freePort } from '@hushryd/platform/engines/ports';
import { ownMongo, testRedis } from '@hushryd/platform/testing/engines';
import { startService } from '@hushryd/platform/testing/service-process';
import { waitFor, within } from '@hushryd/platform/testing/wait-for';
import { MongoClient } from 'mongodb';
import t from 'tap';
import { type Person, playEmergencies } from './played-emergencies.ts';
import { createCollections, environmentOf } from './test-api.ts';

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

/** An api alone sends as fast as it accepts. */
const alonePeople = 40;
const alonePass = 5;
const inFullSet = process.env.HUSHRYD_FULL !== '1' && 'in the full set: npm run test:faults';

const mongo = await ownMongo(t);
const client = new MongoClient(mongo.url);
t.teardown(() => client.close());
const db = client.db('dispatch');
await createCollections(db);
const redis = await testRedis(t);
const { environment, workerEnvironment, api, newPeople, raiseAt, pressAll, textsTo, findProblems } =
  await playEmergencies(t, {
    db,
    environment: environmentOf({ redis, mongo: { url: mongo.url, database: db.databaseName } }),
  });

/** Nobody acknowledges what was pressed before: it would be escalated beside all that follows. */
const forgetAll = () => db.collection('alerts').deleteMany({});

/** Those of before may be brought here once more, by a node that had them while the database was away. */
const countStored = (all: readonly Person[]) =>
  db.collection<{ _id: string }>('alerts').countDocuments({ _id: { $in: all.map(({ alertId }) => alertId) } });

/** The next one presses when somebody has been told of this one: hundreds that wait for the database would show what that takes, and not a kill. */
const untilTold = {
  until: (person: Person) =>
    waitFor(() => textsTo(person).length > 0, { ...recovery, what: 'a text' }).catch(() => undefined),
};

/** @returns whether each was told in time, from the kill on, or from the press where that came later */
async function reachAll(
  all: readonly Person[],
  {
    what,
    killedAtMs,
    answeredAtMs,
    byMs,
  }: { what: string; killedAtMs: number; answeredAtMs: Map<string, number>; byMs: number },
) {
  await waitFor(() => all.every((person) => textsTo(person).length > 0), { ...recovery, what });
  const lateMs = all.map((person) => {
    const fromMs = Math.max(killedAtMs, answeredAtMs.get(person.alertId) ?? 0);
    return (textsTo(person)[0]?.receivedAtMs ?? Number.POSITIVE_INFINITY) - fromMs;
  });
  t.comment(`${what}: ${Math.max(...lateMs)} ms`);
  return Math.max(...lateMs) <= byMs + slackMs;
}

t.test('a worker killed at every point of sending', async (t) => {
  for (const point of dispatchCrashPoints) {
    const doomed = await startService(t, {
      name: 'worker',
      main: fileURLToPath(new URL('../../worker/dist/main.js', import.meta.url)),
      env: { ...workerEnvironment, HUSHRYD_FAULTS: '1', CRASH_AT: `${point}:${pass}` },
      ready: 'ready',
      readyWithinMs: 60_000,
    });
    const all = await newPeople(alertsAPoint);
    const killed = within(doomed.exited, { ...recovery, what: `the end at ${point}` }).then((exit) => ({
      ...exit,
      killedAtMs: Date.now(),
    }));
    const answeredAtMs = await pressAll((person) => raiseAt(api.url, person), all, untilTold);

    const { signal, killedAtMs } = await killed;
    const what = `everybody, after ${point}`;
    const isInTime = await reachAll(all, { what, killedAtMs, answeredAtMs, byMs: afterWorkerKillMs });

    t.equal(signal, 'SIGKILL', `it died at ${point}`);
    t.ok(isInTime, `${point}: everybody was told in time`);
    t.same(findProblems(all), [], point);
    await forgetAll();
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
  const all = await newPeople(alertsAPoint);
  const killed = doomed.exited.then(() => Date.now());
  const answeredAtMs = await pressAll((person) => raiseAt(`http://127.0.0.1:${doomedPort}`, person), all, untilTold);

  const killedAtMs = await within(killed, { ...recovery, what: 'the end' });
  const what = 'everybody, after the death of an api';
  const isInTime = await reachAll(all, { what, killedAtMs, answeredAtMs, byMs: afterApiKillMs });

  t.ok(isInTime, 'everybody was told in time');
  t.same(findProblems(all), []);
  await forgetAll();
});

t.test('an api that sends alone, without MongoDB, killed at every point of sending', { skip: inFullSet }, async (t) => {
  for (const point of dispatchCrashPoints) {
    const port = await freePort();
    const doomed = await startService(t, {
      name: 'api',
      main: fileURLToPath(new URL('../dist/main.js', import.meta.url)),
      env: { ...environment, PORT: String(port), HUSHRYD_FAULTS: '1', CRASH_AT: `${point}:${alonePass}` },
      ready: 'listening',
      readyWithinMs: 60_000,
    });
    const all = await newPeople(alonePeople);
    const killed = doomed.exited;
    await mongo.faults.kill9();
    // At the next node where nobody is there.
    await pressAll(async (person) => {
      const reply = await raiseAt(`http://127.0.0.1:${port}`, person).catch(() => undefined);
      if (reply === undefined || reply.status >= 300) await raiseAt(api.url, person);
    }, all);
    const { signal } = await within(killed, { ...recovery, what: `the end at ${point}` });

    // The one that is left takes over the dead one's journal.
    await waitFor(() => all.every((person) => textsTo(person).length > 0), {
      ...recovery,
      what: `all, after ${point}`,
    });
    t.equal(signal, 'SIGKILL', `it died at ${point}`);
    await mongo.faults.restart();
    await waitFor(async () => (await countStored(all)) === all.length, {
      ...recovery,
      what: `every alert in the database, after ${point}`,
    });
    t.same(findProblems(all, { mostTexts: 3 }), [], point);
    await forgetAll();
  }
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
  const all = await newPeople(alertsAPoint);

  const answeredAtMs = await pressAll((person) => raiseAt(`http://127.0.0.1:${hastyPort}`, person), all, untilTold);

  await reachAll(all, { what: 'everybody', killedAtMs: 0, answeredAtMs, byMs: afterApiKillMs });
  t.same(findProblems(all), ['somebody was told before the alert was persisted']);
});
