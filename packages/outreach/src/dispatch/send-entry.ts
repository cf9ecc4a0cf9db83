import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { Providers } from '@hushryd/providers/providers';
import type { AlertDocument, EntryTry, OutboxEntry } from '../alerts/alert-document.ts';
import type { CrashAlert } from '../alerts/crash-points.ts';
import type { Attempt } from '../delivery/attempt.ts';
import type { DeliverySettings } from '../delivery/delivery-settings.ts';
import type { SealedContact } from '../people/contacts/contact-seal.ts';
import type { AlertAttemptDocument } from './alert-attempts.ts';
import type { DispatchMetrics } from './dispatch-metrics.ts';
import type { DispatchSettings } from './dispatch-settings.ts';
import type { FindRecipients, Recipients, Target } from './find-recipients.ts';
import type { HeldEntry } from './keep-entry.ts';
import { type MakeAttempt, providersOf } from './make-attempt.ts';
import { awaitsMs, type EntryPlan, planEntry } from './plan-entry.ts';

/** What is the same for all entries of one claim. */
export interface ClaimContext {
  alert: AlertDocument;
  contacts: readonly SealedContact[];
  ownPhone: string | undefined;
  onFirstAttempt: () => void;
}

/** Sends one entry over the providers of its channel until one has taken it, or it is somebody's turn later. */
export type SendEntry = (context: ClaimContext, held: HeldEntry) => Promise<void>;

export interface SendEntryParts {
  providers: Providers;
  findRecipients: FindRecipients;
  makeAttempt: MakeAttempt;
  settings: Pick<DispatchSettings, 'leaseMs' | 'receiptWaitMs'>;
  delivery: Pick<DeliverySettings, 'deadlineMs' | 'plan'>;
  crashAt: CrashAlert;
  metrics: DispatchMetrics;
  log: Logger;
  /** The process is about to end: what is under way is finished, and what comes next is left to others. */
  ending?: AbortSignal;
  /** The clock of the attempts, which pauses are counted from. */
  now: () => number;
  random?: () => number;
}

/** Shorter pauses are waited for in place. */
const longestPauseMs = 1_500;
/** Whoever could say whom to reach may be back by then. */
const askAgainMs = 1_000;
/** An incident is no person: it can be opened and closed for an hour, a round a minute. */
const incidentRoundMs = 60_000;
const maxIncidentAttempts = 180;

type Reached = Extract<Recipients, { targets: Target[] }>;
/** What one holder of an entry has done so far. */
interface Turn {
  /** Within the entry, a new one each time. */
  nextNumber(): string;
  /** Who is still to be reached, each with all of their addresses; undefined before the first attempt. */
  waiting?: readonly (readonly Target[])[];
  hasReached: boolean;
}

type EndPlan = Omit<Extract<EntryPlan, { kind: 'end' }>, 'kind'>;

/**
 * Several people who get one text each are an attempt each: whoever has it is not asked again, and the others are tried at the next provider.
 * They count as one entry, which is ACCEPTED where somebody was reached, and DELIVERED when each text that was taken has arrived. After a
 * crash, and where one receipt does not come, all of them get it again: which text was whose only the attempts say.
 *
 * Each attempt is kept before the next one is made, and keeping it renews the lease: killed in between, somebody else goes on when the
 * lease has ended, and makes at most that one attempt twice.
 *
 * @throws AppError `database_unavailable`
 */
export function createSendEntry(parts: SendEntryParts): SendEntry {
  const { providers, findRecipients, makeAttempt, settings, delivery, crashAt, metrics, log } = parts;
  const { ending, now, random = Math.random } = parts;

  async function end({ alert }: ClaimContext, { known, keep }: HeldEntry, { state, reason }: EndPlan): Promise<void> {
    const { entryId, channel, attempts } = known;
    const { _id: alertId, correlationId } = alert;
    if (channel === 'incident' && reason === 'exhausted' && attempts < maxIncidentAttempts) {
      await keep({ state: 'PENDING', dueInMs: incidentRoundMs, isNewRound: true });
      return;
    }
    if (reason === 'nobody-on-call' && channel === 'voice') {
      metrics.nobodyOnCall();
      log.error({ alertId, correlationId }, 'nobody is on call for an alert that is not acknowledged');
    } else if (reason !== undefined && reason !== 'no-address') {
      log.warn({ alertId, correlationId, entryId, channel, reason }, 'an entry of an alert was not delivered');
    }
    await keep({ state, dueInMs: null, ...(reason !== undefined && { reason }) });
  }

  /** @returns whether there is somebody else to be asked, by us */
  async function tryNext(context: ClaimContext, held: HeldEntry, reached: Reached, turn: Turn): Promise<boolean> {
    const { known } = held;
    const plan = planEntry({
      entry: known,
      providers: providersOf(providers, known.channel),
      people: reached.kind === 'inTurn' ? reached.targets.length : byPerson(reached.targets).length,
      settings: delivery.plan,
      nowMs: now(),
      random,
    });
    if (plan.kind === 'end') {
      await end(context, held, turn.hasReached ? { state: 'ACCEPTED' } : plan);
      return false;
    }
    if (plan.inMs > longestPauseMs) {
      await held.keep({ state: 'PENDING', dueInMs: plan.inMs });
      return false;
    }
    await sleep(plan.inMs);
    if (!(await held.holdFor(delivery.deadlineMs))) return false;

    const { alert, ownPhone } = context;
    const people = turn.waiting ?? byPerson(targetsOf(reached, plan.personIndex));
    crashAt('before_send');
    context.onFirstAttempt();
    const asked = await Promise.all(
      people.map(async (targets) => {
        const number = turn.nextNumber();
        const order = { alert, entry: known, provider: plan.provider, number, targets, ownPhone };
        return { targets, number, attempt: await makeAttempt(order) };
      }),
    );
    crashAt('after_send');
    const made = asked.flatMap(({ attempt, ...one }) => (attempt === undefined ? [] : { ...one, attempt }));
    if (made.length === 0) {
      await end(context, held, { state: 'FAILED', reason: 'no-provider' });
      return false;
    }
    const failed = made.filter(({ attempt }) => attempt.outcome !== 'accepted');
    turn.waiting = failed.map(({ targets }) => targets);
    turn.hasReached ||= failed.length < made.length;

    const goesOn = { state: 'SENDING', dueInMs: settings.leaseMs } as const;
    const isDone = { state: 'ACCEPTED', dueInMs: awaitsMs(known, settings.receiptWaitMs) } as const;
    // One write of all: the last one says what becomes of the entry.
    const kept = await Promise.all(
      made.map(({ targets, number, attempt }, index) => {
        metrics.attempt(known.channel, attempt);
        const isLast = index === made.length - 1;
        // Where somebody has failed, the providers that others were reached by are still to be asked.
        const addTries = failed.length === 0 || attempt.outcome !== 'accepted' ? [toTry(attempt, number)] : [];
        const document = toDocument(alert._id, known, { attempt, number, personId: targets[0]?.personId });
        const next = isLast && failed.length === 0 ? isDone : goesOn;
        return held.keep({ ...next, attempts: 1, addTries }, document);
      }),
    );
    return failed.length > 0 && kept.every(Boolean);
  }

  return async (context, held) => {
    const { fence } = held.known;
    const recipients = await findRecipients(context.alert, held.known, context.contacts);
    if (recipients.kind === 'unknown') {
      await held.keep({ state: 'PENDING', dueInMs: askAgainMs });
    } else if (recipients.kind === 'nobody') {
      await end(context, held, { state: 'FAILED', reason: recipients.reason });
    } else {
      let made = 0;
      const turn: Turn = { nextNumber: () => `${fence}-${++made}`, hasReached: false };
      while (await tryNext(context, held, recipients, turn)) {
        if (ending?.aborted) {
          await held.keep({ state: 'PENDING', dueInMs: 0 });
          return;
        }
      }
    }
  };
}

function targetsOf(recipients: Reached, personIndex: number): readonly Target[] {
  return recipients.kind === 'inTurn' ? recipients.targets.slice(personIndex, personIndex + 1) : recipients.targets;
}

/** A person's devices stay together; what names nobody is one person's. */
function byPerson(targets: readonly Target[]): Target[][] {
  const people = new Map<string | undefined, Target[]>();
  for (const target of targets) people.set(target.personId, [...(people.get(target.personId) ?? []), target]);
  return [...people.values()];
}

function toTry({ provider, outcome, errorClass, startedAtMs, latencyMs }: Attempt, number: string): EntryTry {
  const result = outcome === 'accepted' ? 'accepted' : (errorClass ?? 'next');
  return { number, provider, result, endedAtMs: startedAtMs + latencyMs };
}

function toDocument(
  alertId: string,
  { entryId, recipient, channel }: OutboxEntry,
  { attempt, number, personId }: { attempt: Attempt; number: string; personId: string | undefined },
): AlertAttemptDocument {
  const { attemptId: _id, ...made } = attempt;
  const person = personId !== undefined && { personId };
  return { _id, alertId, entryId, number, recipient, channel, ...person, ...made };
}
