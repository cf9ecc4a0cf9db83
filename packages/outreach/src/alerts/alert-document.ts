import type { AlertState, OutboxState, SosTrigger } from '@hushryd/contracts/http/sos';
import type { Role } from '@hushryd/platform/auth/claims';
import type { CollectionDeclaration } from '@hushryd/platform/mongo/collection-declaration';
import type { ErrorClass, ProviderName } from '@hushryd/providers/provider';
import type { SealedContact } from '../people/contacts/contact-seal.ts';
import type { TimelineHead } from '../timeline/timeline-head.ts';
import type { FactText } from './fact-text.ts';
import type { PlannedEntry, TriggerRecord } from './trigger-record.ts';

/** One try of an entry that is on its way, as far as the next one depends on it; all of it is in `alert_attempts`. */
export interface EntryTry {
  /** Of the attempt, within its entry: the fence it was made under, and which one of that time. */
  number: string;
  provider: ProviderName;
  /**
   * `unanswered`: the call rang, and nobody took it; on call, or whoever took it did not press the key. `arrived`: of an entry that several
   * people share one has it, while of others nothing is known yet.
   */
  result: ErrorClass | 'accepted' | 'arrived' | 'unanswered';
  /** By the clock of the node that made it. */
  endedAtMs: number;
}

/** An entry on its way: taken under a lease by whoever sends it, under a fence that voids what an earlier holder still writes. */
export interface OutboxEntry extends PlannedEntry {
  state: OutboxState;
  /**
   * When somebody has to look at it, by the database's clock: to send it, since whoever took it has not come back (the end of the
   * lease), or since the receipt is missing. Null where nothing is awaited.
   */
  dueAt: Date | null;
  /** Which claim has it. */
  takenBy?: string;
  fence: number;
  attempts: number;
  /** Emptied when it has ended. */
  tries: EntryTry[];
  /** Why it ended without arriving. */
  reason?: EntryEndReason;
}

export type EntryEndReason =
  | 'exhausted'
  | 'no-provider'
  | 'no-address'
  | 'not-answered'
  | 'nobody-on-call'
  | 'contact-removed'
  | 'unreadable'
  | 'closed';

/** A press that counts for the alert; its id answers for it for ever. */
export interface AlertTrigger {
  id: string;
  acceptedAt: Date;
  /** Raised it, came within a minute of the press before, or later. */
  kind: 'raised' | 'merged' | 'pressed_again';
  /** Of the alert at that moment, for the answer. */
  state: AlertState;
}

/** Something that happened to it. Written by `appendFacts` alone. */
export interface AlertFact {
  /** Unique in its alert: a fact that is written twice is one. */
  factId: string;
  /** Of the database's clock. */
  at: Date;
  kind: string;
  by?: string;
  /** What a person wrote. */
  text?: FactText;
  data?: Record<string, unknown>;
}

/** An alert as the collection `alerts` holds it: with what has to be sent, and how far the escalation has gone. One write makes all three exist. */
export interface AlertDocument {
  /** Id of the press that raised it. */
  _id: string;
  region: string;
  /** One person has one open alert. */
  open: boolean;
  state: AlertState;
  person: { userId: string; role: Role };
  /** As the phone sent it: times by the phone's clock. */
  trigger: Omit<SosTrigger, 'note' | 'alertId'>;
  note?: FactText;
  via: TriggerRecord['via'];
  isTokenExpired: boolean;
  /** Of the request that raised it: by it the alert is followed through the logs of all processes. */
  correlationId?: string;
  /** Nobody is in danger: nobody on call is paged, no incident is opened, no order is taken. It ends by itself and is removed. */
  isDrill?: true;
  /** When a drill is removed with all that is written of it. */
  forgetAt?: Date;
  /** By the clock of the node that accepted it: what its answer said. */
  acceptedAt: Date;
  /** By the database's clock, from which all that follows is counted. */
  receivedAt: Date;
  /** The newest press that restarted the escalation. */
  lastPressedAt: Date;
  pressCount: number;
  /** Ids of all presses; unique over all alerts. */
  triggerIds: string[];
  triggers: AlertTrigger[];
  contacts: SealedContact[];
  contactsVersion: number | null;
  outbox: OutboxEntry[];
  /** `nextAt` is null once a person has acknowledged; `takenBy` the claim that made the last step. */
  escalation: { level: number; nextAt: Date | null; takenBy?: string };
  /** The earliest of what is due in outbox and escalation, and whether there is any: see work-at.ts. */
  workAt: Date | null;
  hasWork: boolean;
  claimedBy?: string;
  claimedAt?: Date;
  acknowledgedBy?: string;
  acknowledgedAt?: Date;
  closedBy?: string;
  closedAt?: Date;
  closeReason?: FactText;
  /** The person's devices show it as cancelled; nobody else does. */
  duressAt?: Date;
  /** The newest, which are not sealed yet. Those before them are in `alert_timeline`. */
  facts: AlertFact[];
  /** Number and hash of the last fact that was sealed and has left the document. */
  timelineHead?: TimelineHead;
  /** By which the sealer finds it. */
  hasFacts: boolean;
  /** Alerts of nodes that sent this one by themselves while the database was away, and have handed it over. */
  handOvers?: string[];
  /** Rises by one with every change that people see; claims and outcomes of the outbox do not raise it. */
  version: number;
  changedAt: Date;
}

export const alertsCollection: CollectionDeclaration = {
  name: 'alerts',
  indexes: [
    {
      key: { 'person.userId': 1 },
      name: 'one_open_alert',
      unique: true,
      partialFilterExpression: { open: true },
    },
    { key: { triggerIds: 1 }, name: 'trigger', unique: true },
    // Lists of the staff: open ones first, then newest first, the id settles ties; with and without a state.
    { key: { open: -1, receivedAt: -1, _id: 1 }, name: 'newest' },
    { key: { state: 1, open: -1, receivedAt: -1, _id: 1 }, name: 'newest_by_state' },
    // What ends and removes drills.
    { key: { isDrill: 1, open: 1, forgetAt: 1 }, name: 'drills', partialFilterExpression: { isDrill: true } },
    // What the sealer looks for.
    { key: { hasFacts: 1, _id: 1 }, name: 'has_facts', partialFilterExpression: { hasFacts: true } },
    // What a sweeper looks for, in closed alerts too. An equality, since the embedded engine uses no other partial index.
    { key: { workAt: 1 }, name: 'work', partialFilterExpression: { hasWork: true } },
  ],
};
