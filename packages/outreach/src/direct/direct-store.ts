import { randomUUID } from 'node:crypto';
import { AppError } from '@hushryd/platform/errors/app-error';
import { raceTimer } from '@hushryd/platform/lifecycle/race-timer';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { AlertDocument } from '../alerts/alert-document.ts';
import type { AlertSignals, LateAck } from '../alerts/alert-signals.ts';
import { recordKey, type TriggerRecord } from '../alerts/trigger-record.ts';
import type { AlertAttemptDocument } from '../dispatch/alert-attempts.ts';
import { readAlertAttemptId } from '../dispatch/attempt-id.ts';
import type { DispatchSettings } from '../dispatch/dispatch-settings.ts';
import type { DispatchStore } from '../dispatch/dispatch-store.ts';
import type { EntryChange } from '../dispatch/entry-change.ts';
import type { GatherOutcomes } from '../dispatch/gather-outcomes.ts';
import { isOnCallCall } from '../dispatch/take-alert-receipt.ts';
import type { Journal } from '../journal/journal.ts';
import { acknowledge, applyChange, claimDue, escalate, joinPress, toDirectAlert, workAtMs } from './direct-alert.ts';
import { type AlertRecord, type DirectRecord, isPress, toAttempts, toDirectEntry } from './direct-records.ts';

/** What a node has done about an alert until the database can have it. */
export interface DirectAlert {
  readonly document: AlertDocument;
  /** The press that raised it. */
  readonly record: TriggerRecord;
  readonly attempts: ReadonlyMap<string, AlertAttemptDocument>;
}

type Origin = Pick<Journal<AlertRecord>, 'append' | 'pending' | 'settle' | 'markStored' | 'isStored'>;

interface Held extends DirectAlert {
  document: AlertDocument;
  attempts: Map<string, AlertAttemptDocument>;
  /** The journal that its press lies in, and so what is done about it. */
  origin: Origin;
  isPersisted: boolean;
  /** Left by another process: nothing is sent before the database was found to be away. */
  isParked: boolean;
  /** The database has it, and this node does not reach that: others send it. */
  isElsewhere: boolean;
  keys: string[];
  /** It is on its way to the database. */
  leaving?: Promise<void> | undefined;
}

/** Where an alert is now, under which id. */
export interface Successor {
  alertId: string;
  add: GatherOutcomes['add'];
}

/** Alerts that this node sends by itself, in the place of the collection: for `createDispatchAlert` and for receipts. */
export interface DirectStore
  extends Pick<DispatchStore, 'claim' | 'find' | 'findAttempt' | 'findByMessage'>,
    Pick<GatherOutcomes, 'add'> {
  /** By the id of any press. */
  get(triggerId: string): DirectAlert | undefined;
  /**
   * Begin to send a press; one more of a person whose alert is here joins that.
   *
   * @returns undefined where there is no room
   */
  take(
    record: TriggerRecord,
    options: { isPersisted: boolean; areOperatorsTold: boolean },
  ): { alert: AlertDocument; isNew: boolean; isPressedAgain: boolean } | undefined;
  /** Know again what a process before this one did about alerts, by the journal that it left. */
  adopt(journal: Origin): void;
  /**
   * The database is away: what lies in this journal and was accepted by `untilMs` is sent by this node. What the database is known to have
   * counts only with `isStoredToo`.
   */
  takePending(journal: Origin, options: { untilMs: number; isStoredToo: boolean }): void;
  /** Records of alerts that nobody knows any more: the database was reached, and has them. */
  dropOrphans(journal: Origin): Promise<void>;
  /**
   * Somebody takes care of an alert that is here.
   *
   * @returns the alert, and whether the journal has it; undefined where it is not here
   * @throws AppError `sos_taken`, `forbidden` (the call was not to anybody on call)
   */
  acknowledge(alertId: string, ack: LateAck): Promise<{ alert: AlertDocument; isKept: boolean } | undefined>;
  /** What is due now, the longest due first. */
  dueIds(): string[];
  unpersisted(): DirectAlert[];
  /**
   * Give an alert away. Whatever is told of it meanwhile waits, and goes to the successor; where `bring` fails it stays.
   *
   * @param bring writes it to where it goes
   */
  letGo(triggerId: string, bring: (held: DirectAlert) => Promise<Successor>): Promise<void>;
  readonly size: number;
}

/** What is told of an alert after it was handed over comes within minutes. */
const rememberMs = 600_000;
/** A disk that hangs keeps nobody from being reached. */
const journalWithinMs = 1_000;

/** Bounded: `maxAlerts`; what is beyond it is refused, and waits for the database. */
export function createDirectStore({
  journal,
  signals,
  settings,
  maxAlerts = 10_000,
  log,
  now = Date.now,
}: {
  journal: Origin;
  signals: Pick<AlertSignals, 'read'>;
  settings: Pick<DispatchSettings, 'leaseMs' | 'escalateEveryMs'>;
  maxAlerts?: number;
  log: Logger;
  now?: () => number;
}): DirectStore {
  const alerts = new Map<string, Held>();
  /** Alert by the id of each of its presses, and by person. */
  const byTrigger = new Map<string, string>();
  const byPerson = new Map<string, string>();
  const successors = new Map<string, Successor>();
  /** Keys of records that have been looked at. */
  const noted = new Set<string>();

  const heldOf = (triggerId: string): Held | undefined => alerts.get(byTrigger.get(triggerId) ?? '');
  const isHere = (held: Held): boolean => alerts.get(held.document._id) === held;

  /** @returns whether it is in the journal; one that is full, or hangs, stops nobody from being reached */
  async function write(held: Held, body: DirectRecord): Promise<boolean> {
    const entry = toDirectEntry(body);
    noted.add(entry.key);
    const written = held.origin.append(entry, { isLesser: true }).then(
      async () => {
        // It may have been handed over while the disk was busy.
        if (isHere(held)) held.keys.push(entry.key);
        else await settle(held.origin, [entry.key]);
        return true;
      },
      (err: unknown) => {
        noted.delete(entry.key);
        log.error({ err, alertId: body.alertId }, 'what was done about an alert is not in the journal');
        return false;
      },
    );
    return raceTimer(written, journalWithinMs, () => false);
  }

  async function settle(origin: Origin, keys: readonly string[]): Promise<void> {
    try {
      await origin.settle(keys);
      for (const key of keys) noted.delete(key);
    } catch (err) {
      log.error({ err, count: keys.length }, 'records of an alert stay in the journal');
    }
  }

  function hold(
    record: TriggerRecord,
    { origin = journal, ...given }: Pick<Held, 'isPersisted'> & Partial<Pick<Held, 'isParked' | 'origin'>>,
  ): { held: Held; isNew: boolean } | undefined {
    const known = heldOf(record.triggerId) ?? alerts.get(byPerson.get(record.userId) ?? '');
    if (known !== undefined) {
      known.document = joinPress(known.document, record);
      if (record.triggerId === known.record.triggerId) known.isPersisted ||= given.isPersisted;
      byTrigger.set(record.triggerId, known.document._id);
      return { held: known, isNew: false };
    }
    if (alerts.size >= maxAlerts) return undefined;
    const held: Held = {
      document: toDirectAlert(record),
      record,
      attempts: new Map(),
      keys: [],
      origin,
      isParked: false,
      isElsewhere: false,
      ...given,
    };
    alerts.set(record.triggerId, held);
    byTrigger.set(record.triggerId, record.triggerId);
    byPerson.set(record.userId, record.triggerId);
    return { held, isNew: true };
  }

  /** What a journal says of an alert happens to it once more. */
  function apply(held: Held, body: DirectRecord): void {
    const { document } = held;
    switch (body.kind) {
      case 'acknowledged':
        held.document = acknowledge(document, body);
        break;
      case 'escalated': {
        const at = new Date(body.atMs);
        held.document = escalate(document, { ...body, nextAt: new Date(body.nextAtMs), leaseEnd: at, at });
        break;
      }
      case 'changed': {
        const { change } = body;
        // The claims before it were not written down.
        const outbox = document.outbox.map((entry) =>
          change.kind === 'outcome' && entry.entryId === change.entryId ? { ...entry, fence: change.fence } : entry,
        );
        held.document = applyChange({ ...document, outbox }, change, body.atMs);
        for (const made of toAttempts(body.attempts)) held.attempts.set(made._id, made);
      }
    }
  }

  /** What another node has told of it. */
  async function hear(held: Held): Promise<void> {
    const { ack, isStored } = await signals.read(held.document._id);
    held.isElsewhere ||= isStored;
    if (ack !== undefined && isOfOnCall(held, ack)) held.document = acknowledge(held.document, ack);
  }

  const isOfOnCall = ({ attempts }: Held, { attemptId }: LateAck): boolean => {
    const made = attemptId === undefined ? undefined : attempts.get(attemptId);
    return attemptId === undefined || (made !== undefined && isOnCallCall(made));
  };

  /** What is told of an alert that is leaving is for whoever has it then. */
  async function whereItIs(alertId: string): Promise<Held | undefined> {
    await alerts.get(alertId)?.leaving?.catch(() => undefined);
    return alerts.get(alertId);
  }

  async function leave(held: Held, bring: (held: DirectAlert) => Promise<Successor>): Promise<void> {
    const successor = await bring(held);
    const { _id: alertId, triggerIds, person } = held.document;
    held.origin.markStored(recordKey(held.record));
    alerts.delete(alertId);
    for (const id of triggerIds) byTrigger.delete(id);
    byPerson.delete(person.userId);
    successors.set(alertId, successor);
    setTimeout(() => successors.delete(alertId), rememberMs).unref();
    await settle(held.origin, held.keys);
  }

  return {
    get size() {
      return alerts.size;
    },
    get: heldOf,
    find: async (triggerId) => heldOf(triggerId)?.document ?? null,
    findAttempt: async (attemptId) =>
      alerts.get(readAlertAttemptId(attemptId)?.alertId ?? '')?.attempts.get(attemptId) ?? null,
    async findByMessage({ provider, providerMessageId }) {
      for (const { attempts } of alerts.values()) {
        for (const made of attempts.values()) {
          if (made.provider === provider && made.providerMessageId === providerMessageId) return made;
        }
      }
      return null;
    },

    take(record, { isPersisted, areOperatorsTold }) {
      const before = alerts.get(byPerson.get(record.userId) ?? '')?.document.version;
      const taken = hold(record, { isPersisted });
      if (taken === undefined) {
        log.error({ triggerId: record.triggerId }, 'no room for an alert that this node would send');
        return undefined;
      }
      const { held, isNew } = taken;
      held.isParked = false;
      if (areOperatorsTold) held.document = withOperatorsTold(held.document);
      const { version } = held.document;
      return { alert: held.document, isNew, isPressedAgain: before !== undefined && version > before };
    },

    adopt(origin) {
      const bodies = origin.pending();
      const touched = new Set(bodies.flatMap(({ body }) => (isPress(body) ? [] : [body.alertId])));
      for (const { body } of bodies) {
        if (!isPress(body) || !touched.has(body.triggerId)) continue;
        hold(body, { isPersisted: true, isParked: true, origin });
      }
      for (const { key, body } of bodies) {
        const held = isPress(body) ? undefined : heldOf(body.alertId);
        if (isPress(body) || held?.origin !== origin || noted.has(key)) continue;
        noted.add(key);
        held.keys.push(key);
        apply(held, body);
      }
    },

    takePending(origin, { untilMs, isStoredToo }) {
      for (const held of alerts.values()) if (held.origin === origin) held.isParked = false;
      for (const { key, body } of origin.pending()) {
        // What was handed over is known by its successor: it is the workers' again.
        if (!isPress(body) || body.isDrill || successors.has(body.triggerId)) continue;
        if (heldOf(body.triggerId) !== undefined || Date.parse(body.acceptedAt) > untilMs) continue;
        if (!origin.isStored(key) || isStoredToo) hold(body, { isPersisted: true, origin });
      }
    },

    async dropOrphans(origin) {
      const orphans = origin.pending().filter(({ key, body }) => {
        if (isPress(body) || body.kind === 'acknowledged') return false;
        return !noted.has(key) && heldOf(body.alertId) === undefined;
      });
      if (orphans.length > 0) {
        await settle(
          origin,
          orphans.map(({ key }) => key),
        );
      }
    },

    async claim(alertId) {
      const held = alerts.get(alertId);
      if (held === undefined) return undefined;
      await hear(held);
      // While Redis was asked it may have gone to the database, or be on its way.
      if (!isHere(held) || held.leaving !== undefined || held.isElsewhere) return undefined;
      const nowMs = now();
      const claimed = claimDue(held.document, { claimId: randomUUID(), nowMs, settings });
      if (claimed === undefined) return undefined;
      held.document = claimed.alert;
      const { takenBy: claimId, nextAt } = claimed.alert.escalation;
      if (claimed.hasEscalated && claimId !== undefined && nextAt !== null) {
        await write(held, { kind: 'escalated', alertId, atMs: nowMs, claimId, nextAtMs: nextAt.getTime() });
      }
      return claimed;
    },

    async add(alertId, change, attempts = [], options) {
      const held = await whereItIs(alertId);
      if (held === undefined) {
        const successor = successors.get(alertId);
        const own = attempts.map((made) => ({ ...made, alertId: successor?.alertId ?? alertId }));
        return successor === undefined ? null : successor.add(successor.alertId, change, own, options);
      }
      const atMs = now();
      held.document = applyChange(held.document, change, atMs);
      for (const made of attempts) held.attempts.set(made._id, made);
      if (isWorthKeeping(change, attempts)) {
        await write(held, { kind: 'changed', alertId, atMs, change, attempts: [...attempts] });
      }
      return held.document;
    },

    async acknowledge(triggerId, ack) {
      const held = await whereItIs(byTrigger.get(triggerId) ?? triggerId);
      if (held === undefined) return undefined;
      if (!isOfOnCall(held, ack)) throw new AppError('forbidden', { detail: 'nobody on call was called by this call' });
      held.document = acknowledge(held.document, ack);
      const { _id: alertId, acknowledgedBy } = held.document;
      if (acknowledgedBy !== undefined && acknowledgedBy !== ack.by) {
        throw new AppError('sos_taken', { detail: `acknowledged by ${acknowledgedBy}` });
      }
      const isKept = await write(held, { kind: 'acknowledged', alertId, ...ack });
      return { alert: held.document, isKept };
    },

    dueIds() {
      const nowMs = now();
      return [...alerts.values()]
        .filter(({ isParked, isElsewhere }) => !isParked && !isElsewhere)
        .map(({ document }) => ({ id: document._id, atMs: workAtMs(document) ?? Number.POSITIVE_INFINITY }))
        .filter(({ atMs }) => atMs <= nowMs)
        .toSorted((a, b) => a.atMs - b.atMs)
        .map(({ id }) => id);
    },
    unpersisted: () => [...alerts.values()].filter(({ isPersisted }) => !isPersisted),

    async letGo(triggerId, bring) {
      const held = heldOf(triggerId);
      if (held === undefined) return;
      held.leaving ??= leave(held, bring).finally(() => {
        held.leaving = undefined;
      });
      await held.leaving;
    },
  };
}

/** That nobody could be asked yet is found out again. */
const isWorthKeeping = (change: EntryChange, attempts: readonly AlertAttemptDocument[]): boolean =>
  change.kind === 'told' || attempts.length > 0 || change.dueInMs === null;

const withOperatorsTold = (alert: AlertDocument): AlertDocument => ({
  ...alert,
  outbox: alert.outbox.map((entry) =>
    entry.channel === 'desk' && entry.state === 'PENDING' ? { ...entry, state: 'ACCEPTED', dueAt: null } : entry,
  ),
});
