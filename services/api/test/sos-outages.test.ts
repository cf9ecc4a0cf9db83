import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { SosReply } from '@hushryd/contracts/http/sos';
import type { AlertDocument } from '@hushryd/outreach/alerts/alert-document';
import { ownMongo, ownRedis } from '@hushryd/platform/testing/engines';
import { type FaultProxy, startFaultProxy } from '@hushryd/platform/testing/fault-proxy';
import { startService } from '@hushryd/platform/testing/service-process';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import t from 'tap';
import { type Person, playEmergencies } from './played-emergencies.ts';
import { createCollections, environmentOf } from './test-api.ts';

// People press before, while and after a store is away: whoever was answered has one alert, everybody around them hears of it in time, and
// nobody before it was held. In the full set every way of being away; HUSHRYD_FULL=1 also makes more people press.

const isFull = process.env.HUSHRYD_FULL === '1';
const pressCount = isFull ? 40 : 18;
const awayMs = isFull ? 10_000 : 4_000;
/** So long they press before it begins, and after it has ended. */
const aroundMs = 1_500;
const recovery = { withinMs: 60_000 };
/** As after the death of an api (G3). */
const toldWithinMs = 3_000;
/** From the moment that MongoDB answers: what only the journal holds is brought there first (F12). */
const toldAfterMongoMs = 12_000;
/** Two cores are shared with other tests. */
const slackMs = 5_000;

const mongo = await ownMongo(t);
const redis = await ownRedis(t);
const ways = {
  mongo: await startFaultProxy(t, { port: Number(new URL(mongo.url).port) }),
  redis: await startFaultProxy(t, { port: Number(new URL(redis.url).port) }),
};
const client = new MongoClient(mongo.url);
t.teardown(() => client.close());
const db = client.db('outages');
await createCollections(db);
const emergencies = await playEmergencies(t, {
  db,
  environment: environmentOf({
    redis: { url: `redis://127.0.0.1:${ways.redis.port}`, prefix: 'own:' },
    mongo: { url: `mongodb://127.0.0.1:${ways.mongo.port}/?directConnection=true`, database: db.databaseName },
  }),
});
await startService(t, {
  name: 'worker',
  main: fileURLToPath(new URL('../../worker/dist/main.js', import.meta.url)),
  env: emergencies.workerEnvironment,
  ready: 'ready',
  readyWithinMs: 60_000,
});

interface Outage {
  begin(): unknown;
  end(): unknown;
  /** Who presses then may have to wait for its end. */
  isOfMongo?: boolean;
  /** In `npm test` too. */
  isQuick?: boolean;
}

const outages: Readonly<Record<string, Outage>> = {
  'Redis killed': { begin: redis.faults.kill9, end: redis.faults.restart },
  'Redis hung': { begin: redis.faults.pause, end: redis.faults.resume },
  'Redis emptied': { begin: emptyRedis, end: emptyRedis, isQuick: true },
  'Redis cut off': cutOff(ways.redis),
  'MongoDB killed': { begin: mongo.faults.kill9, end: mongo.faults.restart, isOfMongo: true },
  'MongoDB hung': { begin: mongo.faults.pause, end: mongo.faults.resume, isOfMongo: true },
  'MongoDB cut off': { ...cutOff(ways.mongo), isOfMongo: true, isQuick: true },
  'both killed': {
    begin: () => Promise.all([redis.faults.kill9(), mongo.faults.kill9()]),
    end: () => Promise.all([redis.faults.restart(), mongo.faults.restart()]),
    isOfMongo: true,
  },
};

/** For longer than connections bear: what was sent meanwhile never arrives. */
function cutOff(way: FaultProxy): Pick<Outage, 'begin' | 'end'> {
  return {
    begin: () => way.setFaults({ toServer: { isSilent: true }, toClient: { isSilent: true } }),
    end: () => {
      way.resetAll();
      way.heal();
    },
  };
}

async function emptyRedis(): Promise<void> {
  const admin = new Redis(redis.url);
  await admin.flushall();
  admin.disconnect();
}

interface Pressed extends Person {
  answer: SosReply;
  answeredAtMs: number;
}

/** Somebody whose phone repeats the press until it is answered. */
async function pressAfter(person: Person, afterMs: number): Promise<Pressed> {
  await sleep(afterMs);
  const answer = await waitFor(
    async () => {
      const { status, body } = await emergencies.raiseAt(emergencies.api.url, person);
      return status === 201 || status === 202 ? (body as unknown as SosReply) : undefined;
    },
    { ...recovery, what: 'an answer' },
  );
  return { ...person, answer, answeredAtMs: Date.now() };
}

const alertsOf = ({ userId }: Person) =>
  db.collection<AlertDocument>('alerts').find({ 'person.userId': userId }).toArray();

for (const [name, outage] of Object.entries(outages)) {
  const skip = !isFull && !outage.isQuick && 'in the full set: npm run test:faults';
  t.test(name, { skip }, async (t) => {
    const people = await emergencies.newPeople(pressCount);
    const spanMs = awayMs + 2 * aroundMs;

    const pressing = Promise.all(people.map((person, index) => pressAfter(person, (index / pressCount) * spanMs)));
    await sleep(aroundMs);
    await outage.begin();
    await sleep(awayMs);
    await outage.end();
    const backAtMs = Date.now();
    const pressed = await pressing;

    await waitFor(async () => (await Promise.all(pressed.map(alertsOf))).every((alerts) => alerts.length > 0), {
      ...recovery,
      what: 'all that was acknowledged in the database',
    });
    await waitFor(() => pressed.every((person) => emergencies.textsTo(person).length > 0), {
      ...recovery,
      what: 'a text to everybody',
    });
    const boundMs = slackMs + (outage.isOfMongo ? toldAfterMongoMs : toldWithinMs);
    const lateMs = pressed.map((person) => {
      const [first] = emergencies.textsTo(person);
      const from = outage.isOfMongo ? Math.max(person.answeredAtMs, backAtMs) : person.answeredAtMs;
      return (first?.receivedAtMs ?? 0) - from;
    });
    const localCount = pressed.filter(({ answer }) => answer.durability === 'local').length;
    t.comment(
      `${localCount} of ${pressCount} held by the journal alone; the last text after ${Math.max(...lateMs)} ms`,
    );
    t.ok(Math.max(...lateMs) <= boundMs, 'everybody was told in time');
    for (const person of pressed) {
      const alerts = await alertsOf(person);
      t.match(alerts, [{ _id: person.answer.alertId, triggerIds: [person.alertId] }]);
      t.equal(alerts.length, 1, 'one emergency, one alert');
    }
    // A node that took a press while MongoDB was away may have written of its own accord, too.
    t.same(emergencies.findProblems(pressed, { mostTexts: outage.isOfMongo ? 3 : 2 }), []);
    // Nobody acknowledges them: they would be escalated beside all that follow.
    await db.collection('alerts').deleteMany({});
  });
}
