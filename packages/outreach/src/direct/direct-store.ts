import { randomUUID } from 'node:crypto';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { AlertDocument } from '../alerts/alert-document.ts';
import type { AlertSignals, LateAck } from '../alerts/alert-signals.ts';
import type { CrashAlert } from '../alerts/crash-points.ts';
import { recordKey, type TriggerRecord } from '../alerts/trigger-record.ts';
import type { AlertAttemptDocument } from '../dispatch/alert-attempts.ts';
import { readAlertAttemptId } from '../dispatch/attempt-id.ts';
import type { DispatchSettings } from '../dispatch/dispatch-settings.ts';
import type { DispatchStore } from '../dispatch/dispatch-store.ts';
import type { EntryChange } from '../dispatch/entry-change.ts';
import type { GatherOutcomes } from '../dispatch/gather-outcomes.ts';
import { isOnCallCall } from '../dispatch/take-alert-receipt.ts';
import { createClockSetBack } from './clock-set-back.ts';
import { acknowledge, applyChange, claimDue, dueEarlier, workAtMs } from './direct-alert.ts';
import { createDirectJournal, type DirectJournal } from './direct-journal.ts';
import { createHeldAlerts, type DirectAlert, type Held, type Origin, type Successor } from './held-alerts.ts';

/** Alerts that this node sends by itself, in the place of the collection: for `createDispatchAlert` and for receipts. */
export interface DirectStore
  extends Pick<DispatchStore, 'claim' | 'find' | 'findAttempt' | 'findByMessage'>,
    Pick<GatherOutcomes, 'add'>,
    Pick<DirectJournal, 'adopt' | 'takePending' | 'dropOrphans'> {
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

/**
 * Bounded: `maxAlerts`; what is beyond it is refused, and waits for the database.
 *
 * Moments are those of this node's clock. Where it is set back they come no later for it; where it is set ahead some come too soon: rather a
 * call too many.
 */
export function createDirectStore({
  journal,
  signals,
  settings,
  maxAlerts = 10_000,
  crashAt,
  log,
  now = Date.now,
  elapsedMs = () => performance.now(),
}: {
  journal: Origin;
  signals: Pick<AlertSignals, 'read'>;
  settings: Pick<DispatchSettings, 'leaseMs' | 'escalateEveryMs'>;
  maxAlerts?: number;
  crashAt: CrashAlert;
  log: Logger;
  now?: () => number;
  elapsedMs?: () => number;
}): DirectStore {
  const alerts = createHeldAlerts({ maxAlerts });
  const { write, settle, adopt, takePending, dropOrphans } = createDirectJournal({ alerts, log });
  const clockSetBack = createClockSetBack({ now, elapsedMs });

  function clock(): number {
    const backMs = clockSetBack();
    if (backMs > 0) {
      log.warn({ backMs }, 'the clock was set back');
      for (const held of alerts.all()) held.document = dueEarlier(held.document, backMs);
    }
    return now();
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
    held.origin.markStored(recordKey(held.record));
    alerts.giveTo(successor, held);
    await settle(held.origin, held.keys);
  }

  return {
    get size() {
      return alerts.size;
    },
    adopt,
    takePending,
    dropOrphans,
    get: alerts.ofPress,
    find: async (triggerId) => alerts.ofPress(triggerId)?.document ?? null,
    findAttempt: async (attemptId) =>
      alerts.get(readAlertAttemptId(attemptId)?.alertId ?? '')?.attempts.get(attemptId) ?? null,
    async findByMessage({ provider, providerMessageId }) {
      for (const { attempts } of alerts.all()) {
        for (const made of attempts.values()) {
          if (made.provider === provider && made.providerMessageId === providerMessageId) return made;
        }
      }
      return null;
    },

    take(record, { isPersisted, areOperatorsTold }) {
      clock();
      const before = alerts.ofPerson(record.userId)?.document.version;
      const taken = alerts.hold(record, { isPersisted, origin: journal });
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

    async claim(alertId) {
      const held = alerts.get(alertId);
      if (held === undefined) return undefined;
      await hear(held);
      // While Redis was asked it may have gone to the database, or be on its way.
      if (!alerts.isHere(held) || held.leaving !== undefined || held.isElsewhere) return undefined;
      const nowMs = clock();
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
        const successor = alerts.successorOf(alertId);
        const own = attempts.map((made) => ({ ...made, alertId: successor?.alertId ?? alertId }));
        return successor === undefined ? null : successor.add(successor.alertId, change, own, options);
      }
      const atMs = clock();
      held.document = applyChange(held.document, change, atMs);
      for (const made of attempts) held.attempts.set(made._id, made);
      if (isWorthKeeping(change, attempts)) {
        crashAt('before_outcome');
        await write(held, { kind: 'changed', alertId, atMs, change, attempts: [...attempts] });
        crashAt('after_outcome');
      }
      return held.document;
    },

    async acknowledge(triggerId, ack) {
      const held = await whereItIs(alerts.ofPress(triggerId)?.document._id ?? triggerId);
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
      const nowMs = clock();
      return [...alerts.all()]
        .filter(({ isParked, isElsewhere }) => !isParked && !isElsewhere)
        .map(({ document }) => ({ id: document._id, atMs: workAtMs(document) ?? Number.POSITIVE_INFINITY }))
        .filter(({ atMs }) => atMs <= nowMs)
        .toSorted((a, b) => a.atMs - b.atMs)
        .map(({ id }) => id);
    },
    unpersisted: () => [...alerts.all()].filter(({ isPersisted }) => !isPersisted),

    async letGo(triggerId, bring) {
      const held = alerts.ofPress(triggerId);
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
