import type { AlertDocument } from '../alerts/alert-document.ts';
import type { TriggerRecord } from '../alerts/trigger-record.ts';
import type { AlertAttemptDocument } from '../dispatch/alert-attempts.ts';
import type { GatherOutcomes } from '../dispatch/gather-outcomes.ts';
import type { Journal } from '../journal/journal.ts';
import { joinPress, toDirectAlert } from './direct-alert.ts';
import type { AlertRecord } from './direct-records.ts';

/** What a node has done about an alert until the database can have it. */
export interface DirectAlert {
  readonly document: AlertDocument;
  /** The press that raised it. */
  readonly record: TriggerRecord;
  readonly attempts: ReadonlyMap<string, AlertAttemptDocument>;
}

/** A journal that presses lie in, and what is done about them. */
export type Origin = Pick<Journal<AlertRecord>, 'append' | 'pending' | 'settle' | 'markStored' | 'isStored'>;

/** An alert that this node sends. */
export interface Held extends DirectAlert {
  document: AlertDocument;
  attempts: Map<string, AlertAttemptDocument>;
  origin: Origin;
  isPersisted: boolean;
  /** Left by another process: nothing is sent before the database was found to be away. */
  isParked: boolean;
  /** The database has it, and this node does not reach that: others send it. */
  isElsewhere: boolean;
  /** Of its records in the journal. */
  keys: string[];
  /** It is on its way to the database. */
  leaving?: Promise<void> | undefined;
}

/** Where an alert is now, under which id. */
export interface Successor {
  alertId: string;
  add: GatherOutcomes['add'];
}

/** The alerts that this node sends, by their ids, by those of their presses, and by person: one of each. */
export interface HeldAlerts {
  /** By its own id. */
  get(alertId: string): Held | undefined;
  /** By the id of any press. */
  ofPress(triggerId: string): Held | undefined;
  ofPerson(userId: string): Held | undefined;
  isHere(held: Held): boolean;
  /**
   * Hold the alert of a press; one more of a person whose alert is here joins that.
   *
   * @returns undefined where there is no room
   */
  hold(
    record: TriggerRecord,
    given: Pick<Held, 'origin' | 'isPersisted'> & Partial<Pick<Held, 'isParked'>>,
  ): { held: Held; isNew: boolean } | undefined;
  giveTo(successor: Successor, held: Held): void;
  /** Whoever has an alert that was here minutes ago. */
  successorOf(alertId: string): Successor | undefined;
  all(): IterableIterator<Held>;
  readonly size: number;
}

/** What is told of an alert after it was handed over comes within minutes. */
const rememberMs = 600_000;

/** Bounded: `maxAlerts`; what is beyond it is refused, and waits for the database. */
export function createHeldAlerts({ maxAlerts }: { maxAlerts: number }): HeldAlerts {
  const alerts = new Map<string, Held>();
  const byTrigger = new Map<string, string>();
  const byPerson = new Map<string, string>();
  const successors = new Map<string, Successor>();

  const ofPress = (triggerId: string) => alerts.get(byTrigger.get(triggerId) ?? '');
  const ofPerson = (userId: string) => alerts.get(byPerson.get(userId) ?? '');

  return {
    get: (alertId) => alerts.get(alertId),
    ofPress,
    ofPerson,
    isHere: (held) => alerts.get(held.document._id) === held,
    all: () => alerts.values(),
    get size() {
      return alerts.size;
    },

    hold(record, given) {
      const known = ofPress(record.triggerId) ?? ofPerson(record.userId);
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
        isParked: false,
        isElsewhere: false,
        ...given,
      };
      alerts.set(record.triggerId, held);
      byTrigger.set(record.triggerId, record.triggerId);
      byPerson.set(record.userId, record.triggerId);
      return { held, isNew: true };
    },

    giveTo(successor, { document: { _id: alertId, triggerIds, person } }) {
      alerts.delete(alertId);
      for (const id of triggerIds) byTrigger.delete(id);
      byPerson.delete(person.userId);
      successors.set(alertId, successor);
      setTimeout(() => successors.delete(alertId), rememberMs).unref();
    },
    successorOf: (alertId) => successors.get(alertId),
  };
}
