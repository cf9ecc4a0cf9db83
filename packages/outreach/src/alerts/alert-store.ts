import { createHash } from 'node:crypto';
import { AppError } from '@hushryd/platform/errors/app-error';
import { deadline, isDuplicateKey, isRefusal, toMongoError } from '@hushryd/platform/mongo/deadline';
import { inCausalSession, updateThenRead } from '@hushryd/platform/mongo/update-then-read';
import {
  type BulkWriteResult,
  type Collection,
  type Db,
  type Document,
  type Filter,
  MongoBulkWriteError,
} from 'mongodb';
import { createGather } from '../notifications/gather.ts';
import { type SealedFact, sealedFactId, timelineCollection } from '../timeline/timeline-document.ts';
import { maxTriggers, toJoin, toRaise } from './accept-pipelines.ts';
import type { AlertDocument } from './alert-document.ts';
import type { TriggerRecord } from './trigger-record.ts';

/** `known`: the press was stored before. */
export type AcceptOutcome = 'raised' | 'merged' | 'pressed_again' | 'known';

export interface Accepted {
  alert: AlertDocument;
  /** Under which the alert keeps the press: its own id, or one derived from it where somebody else's press has the same. */
  triggerId: string;
  outcome: AcceptOutcome;
}

export interface AcceptOptions {
  ageMs: number;
  isHeld: boolean;
}

/** An alert, and as which version it has to be there. */
export type AlertVersion = Pick<AlertDocument, '_id'> & Partial<Pick<AlertDocument, 'version'>>;

export interface AlertStore {
  /**
   * Make the alert of a press, or let it join the open alert of its person. The same press again changes nothing.
   *
   * @param options.ageMs how long ago it was accepted
   * @param options.isHeld a node may be sending it by itself, and says within seconds how far it has come: see toRaise
   * @throws AppError `database_unavailable`: unknown, it may have been applied or may still be; the same record again settles it
   * Cost: one majority write and a read, shared with all that come at the same time; a write and three reads more for a press that joins.
   */
  accept(record: TriggerRecord, options?: Partial<AcceptOptions>): Promise<Accepted>;
  /** By the id of any of its presses. */
  find(alertId: string): Promise<AlertDocument | null>;
  /** Of these presses, those that a majority holds. */
  findPresses(presses: readonly Pick<TriggerRecord, 'triggerId' | 'userId'>[]): Promise<AlertDocument[]>;
  /** Whether this was told of the alert before: the document has it, or the timeline. Cost: one read where the document has it not. */
  hasFact(alert: Pick<AlertDocument, '_id' | 'facts'>, factId: string): Promise<boolean>;
  /** Open ones first, then the newest. */
  list(filter: Filter<AlertDocument>, options: { limit: number }): Promise<AlertDocument[]>;
  /** The same alerts in the same order, of each what a filter looks at. */
  listOutlines(filter: Filter<AlertDocument>, options: { limit: number }): Promise<AlertOutline[]>;
  /**
   * Apply a pipeline on condition.
   *
   * @returns the alert with it, and with what others have changed since; undefined where the condition did not hold
   */
  changeIf(filter: AlertVersion, pipeline: Document[]): Promise<AlertDocument | undefined>;
}

/** What lists are ordered and filtered by. */
export type AlertOutline = Pick<AlertDocument, '_id' | 'open' | 'receivedAt' | 'state'> & {
  person: Pick<AlertDocument['person'], 'userId'>;
  trigger: Pick<AlertDocument['trigger'], 'tripId' | 'location'>;
};

interface Press extends AcceptOptions {
  record: TriggerRecord;
}

/** Driver and server disagree about who gives up first otherwise: the server's own answer is worth more than our silence. */
const writeTimeoutMs = 1_200;
const maxRounds = 6;
const duplicateKey = 11_000;
/** Of one command. */
const maxRaises = 32;
const listOrder = { open: -1, receivedAt: -1, _id: 1 } as const;
const outline = { open: 1, receivedAt: 1, state: 1, 'person.userId': 1, 'trigger.tripId': 1, 'trigger.location': 1 };
/** The embedded engine compares each document that it finds with every id of the list. */
const idsAtOnce = 100;

/**
 * Alerts in MongoDB. Writes are acknowledged by a majority and journalled; reads see only what a majority has.
 *
 * @param db on a pool of its own: an accept never waits behind a send
 * @param deadlineMs for each operation
 */
export function createAlertStore({ db, deadlineMs = 1_500 }: { db: Db; deadlineMs?: number }): AlertStore {
  const alerts: Collection<AlertDocument> = db.collection('alerts', { readConcern: { level: 'majority' } });
  const timeline: Collection<SealedFact> = db.collection(timelineCollection.name, {
    readConcern: { level: 'majority' },
  });
  const writeConcern = { w: 'majority', journal: true, wtimeoutMS: Math.min(writeTimeoutMs, deadlineMs) } as const;
  const write = { writeConcern, deadlineMs };

  /** @returns undefined where a unique index refused it: this person has an open alert, or the id is taken */
  const raise = createGather({ maxItems: maxRaises, run: raiseAll, mayBeOfOne: isRefusal });

  /** In one command, as all that comes meanwhile is the next one: the embedded engine stalls where many write at once. */
  function raiseAll(presses: readonly Press[]): Promise<(Accepted | undefined)[]> {
    return inCausalSession(alerts, async (session) => {
      const upserts = presses.map(({ record, ageMs, isHeld }) => ({
        updateOne: { filter: { _id: record.triggerId }, update: toRaise(record, ageMs, isHeld), upsert: true },
      }));
      const options = { ordered: false, writeConcern, session, ...deadline(deadlineMs) };
      const raised = await readUpserts(alerts.bulkWrite(upserts, options), presses.length);
      const ids = presses.map(({ record }) => record.triggerId);
      const found = await alerts.find({ _id: { $in: ids } }, { session, ...deadline(deadlineMs) }).toArray();
      const stored = new Map(found.map((alert) => [alert._id, alert]));
      return presses.map(({ record: { triggerId, userId } }, place): Accepted | undefined => {
        const alert = stored.get(triggerId);
        if (alert?.person.userId !== userId) return undefined;
        return { alert, triggerId, outcome: raised.has(place) ? 'raised' : 'known' };
      });
    });
  }

  /** @returns undefined where there is no open alert, or it has changed meanwhile */
  async function join(record: TriggerRecord, ageMs: number): Promise<Accepted | undefined> {
    const { userId, triggerId } = record;
    // By its id: the embedded engine looks through all open alerts for anything more than these two.
    const open = await alerts.findOne({ 'person.userId': userId, open: true }, deadline(deadlineMs));
    if (open === null) return undefined;
    if (open.triggerIds.length >= maxTriggers) return { alert: open, triggerId, outcome: 'merged' };
    const filter = {
      _id: open._id,
      open: true,
      triggerIds: { $ne: triggerId },
      [`triggerIds.${maxTriggers - 1}`]: { $exists: false },
    };
    try {
      const updated = await updateThenRead(alerts, { filter, pipeline: toJoin(record, ageMs) }, write);
      if (updated === undefined) return undefined;
      const { document: alert } = updated;
      const kind = alert.triggers.find(({ id }) => id === triggerId)?.kind;
      return { alert, triggerId, outcome: kind === 'pressed_again' ? 'pressed_again' : 'merged' };
    } catch (error) {
      // The press was stored meanwhile, in an alert that is closed now.
      if (isDuplicateKey(error)) return undefined;
      throw error;
    }
  }

  async function accept(given: TriggerRecord, options: AcceptOptions): Promise<Accepted> {
    let record = given;
    for (let round = 1; round <= maxRounds; round += 1) {
      const raised = await raise({ record, ...options });
      if (raised !== undefined) return raised;
      const { userId, triggerId } = record;
      const known = await alerts.findOne({ triggerIds: triggerId }, deadline(deadlineMs));
      if (known?.person.userId === userId) return { alert: known, triggerId, outcome: 'known' };
      if (known !== null) {
        // Two phones made one id. Neither is refused, and neither hears of the other's alert.
        record = { ...given, triggerId: ownId(given) };
        continue;
      }
      const joined = await join(record, options.ageMs);
      if (joined !== undefined) return joined;
    }
    throw new AppError('database_unavailable', { detail: 'the alert changed faster than a press could join it' });
  }

  return {
    accept: (record, { ageMs = 0, isHeld = false } = {}) => attempt(() => accept(record, { ageMs, isHeld })),
    find: (alertId) => attempt(() => alerts.findOne({ triggerIds: alertId }, deadline(deadlineMs))),
    findPresses: (presses) =>
      attempt(async () => {
        const ids = presses.flatMap((press) => [press.triggerId, ownId(press)]);
        const found: AlertDocument[] = [];
        for (let at = 0; at < ids.length; at += idsAtOnce) {
          const filter = { triggerIds: { $in: ids.slice(at, at + idsAtOnce) } };
          found.push(...(await alerts.find(filter, deadline(deadlineMs)).toArray()));
        }
        return found;
      }),
    // The document was read first: what has left it since, or before, the timeline has.
    hasFact: async ({ _id, facts }, factId) =>
      facts.some((fact) => fact.factId === factId) ||
      (await attempt(() => timeline.findOne({ _id: sealedFactId(_id, factId) }, deadline(deadlineMs)))) !== null,
    list: (filter, { limit }) =>
      attempt(() => alerts.find(filter, { sort: listOrder, limit, ...deadline(deadlineMs) }).toArray()),
    listOutlines: (filter, { limit }) =>
      attempt(() =>
        alerts
          .find<AlertOutline>(filter, { projection: outline, sort: listOrder, limit, ...deadline(deadlineMs) })
          .toArray(),
      ),
    changeIf: (filter, pipeline) =>
      attempt(async () => (await updateThenRead(alerts, { filter, pipeline }, write))?.document),
  };
}

/** Places of those that were made. @throws the error where anything but a unique index was in the way, or not all is told */
async function readUpserts(writing: Promise<BulkWriteResult>, count: number): Promise<ReadonlySet<number>> {
  const toPlaces = ({ upsertedIds }: BulkWriteResult) => new Set(Object.keys(upsertedIds).map(Number));
  try {
    return toPlaces(await writing);
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError)) throw error;
    const { result } = error;
    const failures = [error.writeErrors].flat();
    const isAllTold = failures.length + result.matchedCount + result.upsertedCount === count;
    const isMajority = result.getWriteConcernError() === undefined;
    if (!isAllTold || !isMajority || failures.some(({ code }) => code !== duplicateKey)) throw error;
    return toPlaces(result);
  }
}

/** Does the alert hold this press of this person? */
export function holdsPress(alert: AlertDocument, press: Pick<TriggerRecord, 'triggerId' | 'userId'>): boolean {
  if (alert.person.userId !== press.userId) return false;
  return alert.triggerIds.includes(press.triggerId) || alert.triggerIds.includes(ownId(press));
}

/** Another id for a press whose own is taken by somebody else, the same each time. */
function ownId({ triggerId, userId }: Pick<TriggerRecord, 'triggerId' | 'userId'>): string {
  return `${triggerId}-${createHash('sha256').update(userId).digest('hex').slice(0, 12)}`;
}

async function attempt<Result>(operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    throw toMongoError(error);
  }
}
