import type { Document } from 'mongodb';
import { keepDrillMs } from '../drills/canary-person.ts';
import type { AlertDocument } from './alert-document.ts';
import { appendFacts, firstFacts } from './append-facts.ts';
import { ownerOf } from './drill-person.ts';
import { withEntries } from './end-outbox.ts';
import { reopenIncident } from './plan-outbox.ts';
import type { TriggerRecord } from './trigger-record.ts';
import { settleWork } from './work-at.ts';

/** A further press within this is the same press: a shaking hand, a second phone. Source: design §6. */
export const mergeWithinMs = 60_000;
/** Without a human acknowledgement the person on call is called. Source: design §6. */
export const escalateAfterMs = 30_000;
/** Presses whose ids one alert keeps: 2,000 of them are 250 KB. Whoever presses more often has an open alert, and hears of it. */
export const maxTriggers = 1_000;

/** Until whoever sends an alert by itself has said how far it has come, everybody else leaves it alone for so long. */
const holdForMs = 5_000;
/** Stands in the place of a claim meanwhile. */
export const directHolder = 'direct';

/**
 * The update that makes the alert of a press, to be used as an upsert by id: what is there already stays as it is. Everything that is waited for is counted by the database's clock.
 *
 * @param ageMs how long ago the press was accepted, where it comes from a journal
 * @param isHeld a node may be sending it: it is left alone until that node has handed it over, or for five seconds
 */
export function toRaise(record: TriggerRecord, ageMs: number, isHeld: boolean): Document[] {
  const receivedAt = before(ageMs);
  const heldUntil = after('$$NOW', holdForMs);
  const sentFrom = isHeld ? heldUntil : receivedAt;
  const escalatesAt = isHeld && ageMs > escalateAfterMs - holdForMs ? heldUntil : after(receivedAt, escalateAfterMs);
  const holder = isHeld ? { takenBy: directHolder } : {};
  const acceptedAt = new Date(record.acceptedAt);
  const { alertId: _, ...trigger } = record.trigger;
  const correlation = correlationOf(record);
  const data = { ...trigger, via: record.via, isTokenExpired: record.isTokenExpired, ...correlation };
  const given: Partial<AlertDocument> = {
    region: record.region,
    open: true,
    state: 'open',
    person: { userId: record.userId, role: record.role },
    trigger,
    ...(record.note !== undefined && { note: record.note }),
    via: record.via,
    isTokenExpired: record.isTokenExpired,
    ...correlation,
    ...(record.isDrill && { isDrill: record.isDrill }),
    acceptedAt,
    pressCount: 1,
    triggerIds: [record.triggerId],
    triggers: [{ id: record.triggerId, acceptedAt, kind: 'raised', state: 'open' }],
    contacts: record.contacts,
    contactsVersion: record.contactsVersion ?? null,
    version: 1,
  };
  const fact = {
    factId: `raised-${record.triggerId}`,
    kind: 'raised',
    by: ownerOf(record.userId),
    data,
    ...(record.note !== undefined && { text: record.note }),
  };
  return [
    {
      // Somebody else's press may have this id: not a field of it is touched.
      $replaceWith: {
        $cond: [
          { $gt: [{ $ifNull: ['$version', 0] }, 0] },
          '$$ROOT',
          {
            $mergeObjects: [
              literal(given),
              {
                receivedAt,
                lastPressedAt: receivedAt,
                changedAt: receivedAt,
                outbox: record.outbox.map((entry) => ({
                  $mergeObjects: [
                    literal({ ...entry, state: 'PENDING', fence: 0, attempts: 0, tries: [], ...holder }),
                    { dueAt: sentFrom },
                  ],
                })),
                escalation: {
                  level: { $literal: 0 },
                  nextAt: record.isDrill ? { $literal: null } : escalatesAt,
                  ...literals(holder),
                },
                ...(record.isDrill && { forgetAt: after(receivedAt, keepDrillMs(record.userId)) }),
                ...firstFacts([{ fact }], receivedAt),
                workAt: sentFrom,
                hasWork: true,
              },
              '$$ROOT',
            ],
          },
        ],
      },
    },
  ];
}

/**
 * The update that lets a press join the open alert of its person. Within a minute of the press before it, its id is kept and what it tells
 * (where the person is, above all): that raises the version, and is neither a fact nor announced, so what is stored is ahead of `admin:sos`
 * until the next event. Later it is *pressed again*: a fact, and the escalation starts anew, also where somebody had acknowledged; then an
 * incident is opened anew too.
 */
export function toJoin(record: TriggerRecord, ageMs: number): Document[] {
  const pressedAt = before(ageMs);
  // Not `$subtract` or `$lt` of two dates: SecantusDB compares a stored date with `$$NOW` wrongly.
  const sincePressMs = { $dateDiff: { startDate: '$lastPressedAt', endDate: pressedAt, unit: 'millisecond' } };
  // Brought here late, it may be older than the word of somebody who knew of it.
  const sinceAckMs = { $dateDiff: { startDate: '$acknowledgedAt', endDate: pressedAt, unit: 'millisecond' } };
  const isPressedAgain = {
    $and: [{ $gte: [sincePressMs, mergeWithinMs] }, { $gte: [{ $ifNull: [sinceAckMs, 0] }, 0] }],
  };
  const ifPressedAgain = (then: unknown, otherwise: unknown) => ({ $cond: [isPressedAgain, then, otherwise] });

  const trigger = {
    $mergeObjects: [
      literal({ id: record.triggerId, acceptedAt: new Date(record.acceptedAt) }),
      { kind: ifPressedAgain('pressed_again', 'merged'), state: ifPressedAgain('open', '$state') },
    ],
  };
  const { alertId: _, tripId: __, triggeredAt, ...data } = record.trigger;
  const { location, batteryPercent, device } = data;
  const tellsMore = record.note !== undefined || Object.keys(data).length > 0;
  const fact = {
    factId: `pressed-${record.triggerId}`,
    kind: 'pressed_again',
    by: record.userId,
    data: { ...data, triggeredAt, isTokenExpired: record.isTokenExpired, ...correlationOf(record) },
    ...(record.note !== undefined && { text: record.note }),
  };
  return [
    {
      $set: {
        triggerIds: { $concatArrays: ['$triggerIds', literal([record.triggerId])] },
        triggers: { $concatArrays: ['$triggers', [trigger]] },
        ...appendFacts([{ fact }], { at: pressedAt, onlyIf: isPressedAgain }),
        // Where the person is now, and what was not known before, is worth more than which press said it.
        ...(location !== undefined && { 'trigger.location': literal(location) }),
        ...(batteryPercent !== undefined && { 'trigger.batteryPercent': literal(batteryPercent) }),
        ...(device !== undefined && { 'trigger.device': { $ifNull: ['$trigger.device', literal(device)] } }),
        ...(record.note !== undefined && { note: { $ifNull: ['$note', literal(record.note)] } }),
        pressCount: { $add: ['$pressCount', 1] },
        lastPressedAt: ifPressedAgain(pressedAt, '$lastPressedAt'),
        escalation: ifPressedAgain(
          { level: { $literal: 0 }, nextAt: after(pressedAt, escalateAfterMs) },
          '$escalation',
        ),
        outbox: {
          $cond: [
            { $and: [isPressedAgain, { $eq: ['$state', 'acknowledged'] }] },
            withEntries([reopenIncident(record.triggerId)]),
            '$outbox',
          ],
        },
        state: ifPressedAgain('open', '$state'),
        acknowledgedBy: ifPressedAgain('$$REMOVE', '$acknowledgedBy'),
        acknowledgedAt: ifPressedAgain('$$REMOVE', '$acknowledgedAt'),
        duressAt: ifPressedAgain('$$REMOVE', '$duressAt'),
        version: { $add: ['$version', ifPressedAgain(1, tellsMore ? 1 : 0)] },
        changedAt: tellsMore ? '$$NOW' : ifPressedAgain('$$NOW', '$changedAt'),
      },
    },
    ...settleWork,
  ];
}

const correlationOf = ({ correlationId }: TriggerRecord) => (correlationId === undefined ? {} : { correlationId });
/** What people and phones wrote is data, whatever it begins with. */
const literal = (value: unknown) => ({ $literal: value });
const literals = (fields: object) =>
  Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, literal(value)]));
const before = (ageMs: number) => ({ $add: ['$$NOW', -Math.max(0, Math.round(ageMs))] });
const after = (time: unknown, ms: number) => ({ $add: [time, ms] });
