import { setTimeout as sleep } from 'node:timers/promises';
import type { SosReply } from '@hushryd/contracts/http/sos';
import type { AlertDocument } from '@hushryd/outreach/alerts/alert-document';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import type { Db } from 'mongodb';
import type { Test } from 'tap';
import type { Person, PlayedEmergencies } from './played-emergencies.ts';

/** A way in which a store is away. */
export interface Outage {
  begin(): unknown;
  end(): unknown;
  /** Who presses then may have to wait for its end. */
  isOfMongo?: boolean;
}

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

interface Pressed extends Person {
  answer: SosReply;
  answeredAtMs: number;
}

/** People press before, while and after a store is away: each was answered, has one alert, and somebody was told of it in time. */
export async function pressThrough(
  t: Test,
  { emergencies, db, outage }: { emergencies: PlayedEmergencies; db: Db; outage: Outage },
): Promise<void> {
  const people = await emergencies.newPeople(pressCount);
  const spanMs = awayMs + 2 * aroundMs;
  const alertsOf = ({ userId }: Person) =>
    db.collection<AlertDocument>('alerts').find({ 'person.userId': userId }).toArray();

  const pressing = Promise.all(
    people.map((person, index) => pressAfter(emergencies, person, (index / pressCount) * spanMs)),
  );
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
  t.comment(`${localCount} of ${pressCount} held by the journal alone; the last text after ${Math.max(...lateMs)} ms`);
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
}

/** Somebody whose phone repeats the press until it is answered. */
async function pressAfter(emergencies: PlayedEmergencies, person: Person, afterMs: number): Promise<Pressed> {
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
