import { randomUUID } from 'node:crypto';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { AlertDocument } from '../alerts/alert-document.ts';
import type { TriggerRecord } from '../alerts/trigger-record.ts';
import type { AlertAttemptDocument } from '../dispatch/alert-attempts.ts';
import type { DispatchSettings } from '../dispatch/dispatch-settings.ts';
import type { DispatchStore } from '../dispatch/dispatch-store.ts';
import type { GatherOutcomes } from '../dispatch/gather-outcomes.ts';
import type { Journal } from '../journal/journal.ts';
import { acknowledge, applyChange, claimDue, escalate, joinPress, toDirectAlert, workAtMs } from './direct-alert.ts';
import { type AlertRecord, type DirectRecord, isPress, toAttempts, toDirectEntry } from './direct-records.ts';

/** What a node has done about an alert until the database can have it. */
export interface DirectAlert {
  document: AlertDocument;
  /** The press that raised it. */
  record: TriggerRecord;
  attempts: ReadonlyMap<string, AlertAttemptDocument>;
  /** A journal has the press. */
  isPersisted: boolean;
}

/** Where an alert is now, under which id. */
export interface Successor {
  alertId: string;
  add: GatherOutcomes['add'];
}

/** That somebody takes care of an alert that is not here. */
export interface StrangerAck {
  alertId: string;
  by: string;
  atMs: number;
  settle(): Promise<void>;
}

type Origin = Pick<Journal<AlertRecord>, 'settle'>;
interface Held extends DirectAlert {
  /** It is on its way to the database. */
  leaving?: Promise<void> | undefined;
  attempts: Map<string, AlertAttemptDocument>;
  /** Records of it, by the journal that has them. */
  records: Map<Origin, string[]>;
}

/** Alerts that this node sends by itself, in the place of the collection: for `createDispatchAlert` and for receipts. */
export interface DirectStore
  extends Pick<DispatchStore, 'claim' | 'find' | 'findAttempt' | 'findByMessage'>,
    Pick<GatherOutcomes, 'add'> {
  /** By the id of any press. */
  get(triggerId: string): DirectAlert | undefined;
  /** Begin to send a press; one more of a person whose alert is here joins that. @returns undefined where there is no room */
  take(
    record: TriggerRecord,
    options: { isPersisted: boolean },
  ): { alert: AlertDocument; isPressedAgain: boolean } | undefined;
  /**
   * Go on where a process before this one stopped. Of presses that it did nothing about only those that were accepted by `untilMs`. Drills
   * wait for the database.
   */
  adopt(journal: Pick<Journal<AlertRecord>, 'pending' | 'settle'>, options?: { untilMs?: number }): void;
  /**
   * Somebody takes care. Of an alert that is not here it is kept too: another node may send it, or the database have it.
   *
   * @returns the alert, where it is here
   * @throws AppError `sos_not_persisted` where it is not here and the journal takes nothing
   */
  acknowledge(alertId: string, by: string): Promise<AlertDocument | undefined>;
  /** Acknowledgements of alerts that are not here, each once; whoever takes them brings them to the database, or gives them back. */
  takeStrangers(): StrangerAck[];
  giveBack(ack: StrangerAck): void;
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

/**
 * Bounded: `maxAlerts`; what is beyond it is refused, and waits in the journal for the database.
 *
 * @param wasAcknowledged whether somebody has told another node that they take care: asked before each step of the escalation
 */
export function createDirectStore({
  journal,
  wasAcknowledged,
  settings,
  maxAlerts = 10_000,
  log,
  now = Date.now,
}: {
  journal: Journal<AlertRecord>;
  wasAcknowledged: (alertId: string) => Promise<string | undefined>;
  settings: Pick<DispatchSettings, 'leaseMs' | 'escalateEveryMs'>;
  maxAlerts?: number;
  log: Logger;
  now?: () => number;
}): DirectStore {
  const alerts = new Map<string, Held>();
  /** Alert by the id of each of its presses, and open alert by person. */
  const byTrigger = new Map<string, string>();
  const byPerson = new Map<string, string>();
  const successors = new Map<string, Successor>();

  const strangers: StrangerAck[] = [];
  /** Keys of records that have been looked at. */
  const noted = new Set<string>();

  const heldOf = (triggerId: string): Held | undefined => alerts.get(byTrigger.get(triggerId) ?? '');

  /** A journal that is full stops nobody from being reached. */
  async function write(held: Held, body: DirectRecord): Promise<void> {
    const entry = toDirectEntry(body);
    try {
      await journal.append(entry);
      note(held, journal, entry.key);
    } catch (err) {
      log.error({ err, alertId: body.alertId, kind: body.kind }, 'what was done about an alert is not in the journal');
    }
  }

  function note(held: Held, origin: Origin, key: string): void {
    noted.add(key);
    const keys = held.records.get(origin);
    if (keys === undefined) held.records.set(origin, [key]);
    else keys.push(key);
  }

  function take(record: TriggerRecord, isPersisted: boolean): Held | undefined {
    const known = heldOf(record.triggerId) ?? alerts.get(byPerson.get(record.userId) ?? '');
    if (known !== undefined) {
      known.document = joinPress(known.document, record);
      known.isPersisted ||= isPersisted;
      byTrigger.set(record.triggerId, known.document._id);
      return known;
    }
    if (alerts.size >= maxAlerts) return undefined;
    const held: Held = {
      document: toDirectAlert(record),
      record,
      attempts: new Map(),
      isPersisted,
      records: new Map(),
    };
    alerts.set(record.triggerId, held);
    byTrigger.set(record.triggerId, record.triggerId);
    byPerson.set(record.userId, record.triggerId);
    return held;
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

  return {
    get size() {
      return alerts.size;
    },
    get: heldOf,
    find: async (triggerId) => heldOf(triggerId)?.document ?? null,
    async findAttempt(attemptId) {
      for (const { attempts } of alerts.values()) {
        const made = attempts.get(attemptId);
        if (made !== undefined) return made;
      }
      return null;
    },
    async findByMessage({ provider, providerMessageId }) {
      for (const { attempts } of alerts.values()) {
        for (const made of attempts.values()) {
          if (made.provider === provider && made.providerMessageId === providerMessageId) return made;
        }
      }
      return null;
    },

    take(record, { isPersisted }) {
      const before = alerts.get(byPerson.get(record.userId) ?? '')?.document.version ?? 1;
      const held = take(record, isPersisted);
      if (held !== undefined) return { alert: held.document, isPressedAgain: held.document.version > before };
      log.error({ triggerId: record.triggerId }, 'no room for an alert that this node would send');
      return undefined;
    },

    adopt(from, { untilMs = Number.NEGATIVE_INFINITY } = {}) {
      const bodies = from.pending();
      const touched = new Set(bodies.flatMap(({ body }) => (isPress(body) ? [] : [body.alertId])));
      for (const { body } of bodies) {
        if (!isPress(body) || body.isDrill || heldOf(body.triggerId) !== undefined) continue;
        if (touched.has(body.triggerId) || Date.parse(body.acceptedAt) <= untilMs) take(body, true);
      }
      for (const { key, body } of bodies) {
        if (isPress(body) || noted.has(key)) continue;
        const held = heldOf(body.alertId);
        if (held !== undefined) {
          apply(held, body);
          note(held, from, key);
        } else if (body.kind === 'acknowledged') {
          noted.add(key);
          strangers.push({ ...body, settle: () => settleOne(from, key) });
        } else {
          void from.settle([key]);
        }
      }
    },

    async claim(alertId) {
      const held = alerts.get(alertId);
      if (held === undefined || held.leaving !== undefined) return undefined;
      const nextAt = held.document.escalation.nextAt?.getTime();
      if (nextAt !== undefined && nextAt <= now()) {
        const by = await wasAcknowledged(alertId);
        if (by !== undefined) held.document = acknowledge(held.document, { by, atMs: now() });
      }
      const nowMs = now();
      const claimed = claimDue(held.document, { claimId: randomUUID(), nowMs, settings });
      if (claimed === undefined) return undefined;
      held.document = claimed.alert;
      const { takenBy: claimId, nextAt: next } = claimed.alert.escalation;
      if (claimed.hasEscalated && claimId !== undefined && next !== null) {
        await write(held, { kind: 'escalated', alertId, atMs: nowMs, claimId, nextAtMs: next.getTime() });
      }
      return claimed;
    },

    async add(alertId, change, attempts = [], options) {
      const held = await whereItIs(alertId);
      const successor = successors.get(alertId);
      if (held === undefined) {
        const own = attempts.map((made) => ({ ...made, alertId: successor?.alertId ?? alertId }));
        return successor === undefined ? null : successor.add(successor.alertId, change, own, options);
      }
      const atMs = now();
      held.document = applyChange(held.document, change, atMs);
      for (const made of attempts) held.attempts.set(made._id, made);
      await write(held, { kind: 'changed', alertId, atMs, change, attempts: [...attempts] });
      return held.document;
    },

    async acknowledge(triggerId, by) {
      const held = await whereItIs(byTrigger.get(triggerId) ?? triggerId);
      const atMs = now();
      if (held === undefined) {
        const entry = toDirectEntry({ kind: 'acknowledged', alertId: triggerId, atMs, by });
        await journal.append(entry);
        noted.add(entry.key);
        strangers.push({ alertId: triggerId, by, atMs, settle: () => settleOne(journal, entry.key) });
        return undefined;
      }
      held.document = acknowledge(held.document, { by, atMs });
      await write(held, { kind: 'acknowledged', alertId: held.document._id, atMs, by });
      return held.document;
    },
    takeStrangers: () => strangers.splice(0),
    giveBack: (ack) => void strangers.push(ack),

    dueIds() {
      const nowMs = now();
      return [...alerts.values()]
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

  async function leave(held: Held, bring: (held: DirectAlert) => Promise<Successor>): Promise<void> {
    const successor = await bring(held);
    const { _id: alertId, triggerIds, person } = held.document;
    alerts.delete(alertId);
    for (const id of triggerIds) byTrigger.delete(id);
    byPerson.delete(person.userId);
    successors.set(alertId, successor);
    setTimeout(() => successors.delete(alertId), rememberMs).unref();
    for (const [origin, keys] of held.records) {
      await origin.settle(keys);
      for (const key of keys) noted.delete(key);
    }
  }

  async function settleOne(origin: Origin, key: string): Promise<void> {
    await origin.settle([key]);
    noted.delete(key);
  }

  /** What is told of an alert that is leaving is for whoever has it then. */
  async function whereItIs(alertId: string): Promise<Held | undefined> {
    await alerts.get(alertId)?.leaving?.catch(() => undefined);
    return alerts.get(alertId);
  }
}
