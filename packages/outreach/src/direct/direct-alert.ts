import { escalateAfterMs, maxTriggers, mergeWithinMs } from '../alerts/accept-pipelines.ts';
import type { AlertDocument, AlertFact, EntryTry, OutboxEntry } from '../alerts/alert-document.ts';
import { maxWaitingFacts } from '../alerts/append-facts.ts';
import { reopenIncident } from '../alerts/plan-outbox.ts';
import type { PlannedEntry, TriggerRecord } from '../alerts/trigger-record.ts';
import { pagedChannels } from '../dispatch/claim-pipeline.ts';
import type { Claimed } from '../dispatch/dispatch-store.ts';
import type { EntryChange, Outcome, Told } from '../dispatch/entry-change.ts';

// What the update pipelines of accept, claim and outcome do in the database, for a node that has none: the same rules on a document in
// memory, by this node's clock. All functions are pure.

/** Above what claims of the database come to: an outcome of the one is never taken for one of the other. */
const firstFence = 1_000_000;

/** The alert that the database would make of a press. */
export function toDirectAlert(record: TriggerRecord): AlertDocument {
  const { alertId: _, ...trigger } = record.trigger;
  const acceptedAt = new Date(record.acceptedAt);
  return {
    _id: record.triggerId,
    region: record.region,
    open: true,
    state: 'open',
    person: { userId: record.userId, role: record.role },
    trigger,
    ...(record.note !== undefined && { note: record.note }),
    via: record.via,
    isTokenExpired: record.isTokenExpired,
    ...(record.correlationId !== undefined && { correlationId: record.correlationId }),
    acceptedAt,
    receivedAt: acceptedAt,
    lastPressedAt: acceptedAt,
    pressCount: 1,
    triggerIds: [record.triggerId],
    triggers: [{ id: record.triggerId, acceptedAt, kind: 'raised', state: 'open' }],
    contacts: record.contacts,
    contactsVersion: record.contactsVersion ?? null,
    outbox: record.outbox.map((entry) => toDue(entry, acceptedAt)),
    escalation: { level: 0, nextAt: after(acceptedAt, escalateAfterMs) },
    workAt: acceptedAt,
    hasWork: true,
    facts: [],
    hasFacts: false,
    version: 1,
    changedAt: acceptedAt,
  };
}

/**
 * A further press of the same person joins: within a minute of the one before it only its id counts, later the escalation begins anew, and
 * an incident with it where somebody had acknowledged. It comes to the database by itself, so nothing else of it is kept.
 */
export function joinPress(alert: AlertDocument, record: TriggerRecord): AlertDocument {
  if (alert.triggerIds.includes(record.triggerId) || alert.triggerIds.length >= maxTriggers) return alert;
  const pressedAt = new Date(record.acceptedAt);
  const { location } = record.trigger;
  const joined: AlertDocument = {
    ...alert,
    triggerIds: [...alert.triggerIds, record.triggerId],
    trigger: { ...alert.trigger, ...(location !== undefined && { location }) },
    pressCount: alert.pressCount + 1,
  };
  if (pressedAt.getTime() - alert.lastPressedAt.getTime() < mergeWithinMs) return joined;
  const { acknowledgedBy: _by, acknowledgedAt: _at, ...open } = joined;
  return {
    ...open,
    state: 'open',
    lastPressedAt: pressedAt,
    outbox:
      alert.state === 'acknowledged'
        ? [...alert.outbox, toDue(reopenIncident(record.triggerId), pressedAt)]
        : alert.outbox,
    escalation: { level: 0, nextAt: after(pressedAt, escalateAfterMs) },
    version: alert.version + 1,
    changedAt: pressedAt,
  };
}

/** The same alert on a clock that was set back by so much. */
export function dueEarlier(alert: AlertDocument, backMs: number): AlertDocument {
  const { nextAt } = alert.escalation;
  return {
    ...alert,
    lastPressedAt: after(alert.lastPressedAt, -backMs),
    outbox: alert.outbox.map((entry) =>
      entry.dueAt === null ? entry : { ...entry, dueAt: after(entry.dueAt, -backMs) },
    ),
    escalation: { ...alert.escalation, nextAt: nextAt === null ? null : after(nextAt, -backMs) },
  };
}

/** Takes all that is due; undefined where nothing is. */
export function claimDue(
  alert: AlertDocument,
  {
    claimId,
    nowMs,
    settings,
  }: { claimId: string; nowMs: number; settings: { leaseMs: number; escalateEveryMs: number } },
): Claimed | undefined {
  const hasEscalated = isDue(alert.escalation.nextAt, nowMs);
  const leaseEnd = new Date(nowMs + settings.leaseMs);
  const take = (entry: OutboxEntry): OutboxEntry =>
    isDue(entry.dueAt, nowMs)
      ? { ...entry, state: 'SENDING', takenBy: claimId, dueAt: leaseEnd, fence: entry.fence + 1 }
      : entry;
  const outbox = alert.outbox.map(take);
  const taken = { ...alert, outbox };
  const claimed = hasEscalated
    ? escalate(taken, { claimId, nextAt: new Date(nowMs + settings.escalateEveryMs), leaseEnd, at: new Date(nowMs) })
    : taken;
  const entries = claimed.outbox.filter(({ takenBy, state }) => takenBy === claimId && state === 'SENDING');
  return entries.length === 0 ? undefined : { alert: claimed, entries, hasEscalated };
}

/** One level up, with entries for whoever is on call there. */
export function escalate(
  alert: AlertDocument,
  { claimId, nextAt, leaseEnd, at }: { claimId: string; nextAt: Date; leaseEnd: Date; at: Date },
): AlertDocument {
  const level = alert.escalation.level + 1;
  const paged = pagedChannels.map(
    (channel): OutboxEntry => ({
      entryId: `on-call-${claimId}-${channel}`,
      recipient: { kind: 'on_call', level },
      channel,
      state: 'SENDING',
      takenBy: claimId,
      dueAt: leaseEnd,
      fence: firstFence + 1,
      attempts: 0,
      tries: [],
    }),
  );
  const fact: AlertFact = { factId: `escalated-${claimId}`, kind: 'escalated', at, data: { level } };
  return withFacts(
    {
      ...alert,
      outbox: [...alert.outbox, ...paged],
      escalation: { level, nextAt, takenBy: claimId },
      version: alert.version + 1,
      changedAt: at,
    },
    [fact],
  );
}

/** What has become of an entry; nothing where somebody else has it since. */
export function applyChange(alert: AlertDocument, change: EntryChange, nowMs: number): AlertDocument {
  const at = new Date(nowMs);
  const entry = alert.outbox.find(({ entryId }) => entryId === change.entryId);
  if (entry === undefined) return alert;
  const facts = change.fact === undefined ? [] : [{ ...change.fact, at }];
  if (change.kind === 'outcome' && change.fence !== entry.fence) return withFacts(alert, facts);

  const changed = change.kind === 'outcome' ? applyOutcome(entry, change, nowMs) : applyTold(entry, change, at);
  const expanded = change.kind === 'outcome' ? change.expanded : undefined;
  const added = (expanded?.entries ?? []).map((planned) => toDue(planned, at));
  return withFacts(
    {
      ...alert,
      ...(expanded && { contacts: expanded.contacts, contactsVersion: expanded.version }),
      outbox: [...alert.outbox.map((one) => (one === entry ? changed : one)).filter(isOnItsWay), ...added],
    },
    facts,
  );
}

/**
 * A person takes care: nobody on call is called any more, and the incident is told. It says nothing of a press that came later, and the first
 * one counts.
 */
export function acknowledge(alert: AlertDocument, { by, atMs }: { by: string; atMs: number }): AlertDocument {
  if (alert.state !== 'open' || atMs < alert.lastPressedAt.getTime()) return alert;
  const at = new Date(atMs);
  const opened = alert.outbox.findLast(
    ({ recipient, purpose }) => recipient.kind === 'incident' && purpose === undefined,
  );
  const incident = toDue(
    {
      entryId: `incident-acknowledge-${alert.version}`,
      recipient: opened?.recipient ?? { kind: 'incident' },
      channel: 'incident',
      purpose: 'acknowledge',
    },
    at,
  );
  return withFacts(
    {
      ...alert,
      state: 'acknowledged',
      acknowledgedBy: by,
      acknowledgedAt: at,
      outbox: [...alert.outbox.filter(isKeptWhenAcknowledged), incident],
      escalation: { ...alert.escalation, nextAt: null },
      version: alert.version + 1,
      changedAt: at,
    },
    [{ factId: `acknowledged-${by}-${atMs}`, kind: 'acknowledged', at, by }],
  );
}

/** When somebody has to look at it next; undefined where nothing is awaited. */
export function workAtMs({ outbox, escalation }: AlertDocument): number | undefined {
  const times = [escalation.nextAt, ...outbox.map(({ dueAt }) => dueAt)].flatMap((at) => at?.getTime() ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}

function applyOutcome(entry: OutboxEntry, outcome: Outcome, nowMs: number): OutboxEntry {
  const { state, reason, dueInMs, attempts, addTries, isNewRound } = outcome;
  // A receipt may have come before it.
  const isNew = ({ number }: EntryTry) => entry.tries.every((made) => made.number !== number);
  const tries: EntryTry[] =
    dueInMs === null && state !== 'ACCEPTED' ? [] : [...(isNewRound ? [] : entry.tries), ...addTries.filter(isNew)];
  return {
    ...entry,
    state,
    ...(reason !== undefined && { reason }),
    dueAt: dueInMs === null ? null : new Date(nowMs + dueInMs),
    attempts: entry.attempts + attempts,
    tries,
  };
}

function applyTold(entry: OutboxEntry, { number, result, sharedTry }: Told, at: Date): OutboxEntry {
  if (result === 'arrived') {
    if (entry.state === 'DELIVERED') return entry;
    const others = entry.tries.filter((made) => made.number !== number);
    const isLast = entry.state === 'ACCEPTED' && others.every((made) => made.result !== 'accepted');
    if (sharedTry !== undefined && !isLast) return { ...entry, tries: [{ number, result, ...sharedTry }, ...others] };
    const { reason: _, ...rest } = entry;
    return { ...rest, state: 'DELIVERED', dueAt: null, tries: [], fence: entry.fence + 1 };
  }
  // Whoever has gone on to another provider does not go back.
  if (entry.state !== 'ACCEPTED' || entry.tries.at(-1)?.number !== number) return entry;
  const tries = entry.tries.map((made) => (made.number === number ? { ...made, result } : made));
  return { ...entry, state: 'PENDING', dueAt: at, tries };
}

/** Nobody on call is called any more, and of what was said of an earlier acknowledgement nothing is kept once it is over. */
const isKeptWhenAcknowledged = ({ recipient, purpose, dueAt }: OutboxEntry): boolean =>
  recipient.kind !== 'on_call' && (purpose === undefined || dueAt !== null);

/** There is no end to those of whoever was on call. */
const isOnItsWay = ({ recipient, dueAt }: OutboxEntry): boolean => recipient.kind !== 'on_call' || dueAt !== null;

/** What people do is never left out. */
function withFacts(alert: AlertDocument, facts: readonly AlertFact[]): AlertDocument {
  const kept = alert.facts.length < maxWaitingFacts ? facts : facts.filter(({ by }) => by !== undefined);
  return { ...alert, facts: [...alert.facts, ...kept] };
}

const toDue = (entry: PlannedEntry, dueAt: Date): OutboxEntry => ({
  ...entry,
  state: 'PENDING',
  dueAt,
  fence: firstFence,
  attempts: 0,
  tries: [],
});
const isDue = (at: Date | null, nowMs: number): boolean => at !== null && at.getTime() <= nowMs;
const after = (time: Date, ms: number): Date => new Date(time.getTime() + ms);
