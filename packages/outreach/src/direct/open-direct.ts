import { AppError } from '@hushryd/platform/errors/app-error';
import { createAttempts } from '@hushryd/platform/lifecycle/attempts';
import { createLimitInFlight } from '@hushryd/platform/lifecycle/limit-in-flight';
import { createPeriodic } from '@hushryd/platform/lifecycle/periodic';
import { raceTimer } from '@hushryd/platform/lifecycle/race-timer';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import type { Receipt } from '@hushryd/providers/receipts/receipt';
import type { Db } from 'mongodb';
import type { AlertDocument } from '../alerts/alert-document.ts';
import type { AlertMetrics } from '../alerts/alert-metrics.ts';
import { createAlertStore } from '../alerts/alert-store.ts';
import type { CrashAlert } from '../alerts/crash-points.ts';
import type { TriggerRecord } from '../alerts/trigger-record.ts';
import { acknowledgeQuietly } from '../dispatch/acknowledge-quietly.ts';
import { acknowledgeKey } from '../dispatch/answer-keys.ts';
import { readAlertAttemptId } from '../dispatch/attempt-id.ts';
import { createDispatchAlert } from '../dispatch/dispatch-alert.ts';
import type { DispatchSettings } from '../dispatch/dispatch-settings.ts';
import { createMarkAlertSeen, type MarkAlertSeen } from '../dispatch/mark-alert-seen.ts';
import type { Sending } from '../dispatch/open-dispatch.ts';
import { createReadAlertPrompt } from '../dispatch/read-alert-prompt.ts';
import { createSendInside } from '../dispatch/send-inside.ts';
import { createTakeAlertReceipt } from '../dispatch/take-alert-receipt.ts';
import type { Journal } from '../journal/journal.ts';
import type { ReadVoicePrompt } from '../notifications/read-voice-prompt.ts';
import type { ReadOwnPhone } from '../people/safety/read-own-phone.ts';
import type { Taken, TakeReceipt } from '../webhooks/take-webhook.ts';
import type { AlertRecord } from './direct-records.ts';
import { createDirectStore, type DirectStore } from './direct-store.ts';
import { createHandOver } from './hand-over.ts';
import type { DirectAlert, Successor } from './held-alerts.ts';
import { createLateAcks } from './late-acks.ts';

/** Sending alerts that the database could not take, from the node that accepted them. */
export interface DirectSending {
  /** This node sends the alert of this press: it has to be stored as held, and handed over. */
  holds(triggerId: string): boolean;
  /** Begin to send a press that the database has not taken. */
  take(record: TriggerRecord, options: { isPersisted: boolean; areOperatorsTold: boolean }): void;
  /** Know again what a process before this one did, by a journal that it left. */
  adopt(journal: Journal<AlertRecord>): void;
  /** The database is away: send what lies in the journal. See DirectStore. */
  takePending: DirectStore['takePending'];
  dropOrphans: DirectStore['dropOrphans'];
  /** The database has the alert of this press: from here on it is everybody's. @throws AppError `database_unavailable` */
  handOver(alert: Pick<AlertDocument, '_id'>, triggerId: string): Promise<void>;
  /** The alert as this node knows it. */
  find(triggerId: string): AlertDocument | undefined;
  /**
   * A person takes care, while the database cannot say so: kept here, and told to whichever node sends the alert.
   *
   * @returns when
   * @throws AppError `sos_taken`, `sos_not_persisted` where it could not be kept
   */
  acknowledge(alertId: string, by: string): Promise<{ acceptedAt: string }>;
  /** Of an alert that this node sends. */
  takeReceipt: TakeReceipt;
  /** While the database is away: also the key of somebody whom another node has called. */
  takeReceiptAlone: TakeReceipt;
  markSeen: MarkAlertSeen;
  readPrompt: ReadVoicePrompt;
  start(): void;
  close(): Promise<void>;
}

/** A person's own number is good to have in a message, and not worth waiting for. */
const phoneWithinMs = 300;
/** Alerts brought to the database at once: each has five seconds. */
const maxBringing = 8;
/** The rota is read again and again, so that one is known when both stores are away. */
const rotaEveryMs = 30_000;
const rotaWithinMs = 500;

/**
 * Everything that the accepting node does alone while MongoDB is away: sends on all channels, escalates, takes receipts and
 * acknowledgements, and keeps each of these in its journal. Once the database has the alert, what was done is written into it, and the
 * workers go on where this node stops.
 *
 * Of two nodes that took presses of one person each has an alert of its own until then. Somebody who acknowledges at another node stops
 * the escalation through Redis; with Redis away too it goes on until the stores are back: rather one call too many.
 */
export function openDirect({
  journal,
  db,
  sending,
  readOwnPhone,
  settings,
  alertMetrics,
  crashAt,
  telemetry,
  log,
}: {
  journal: Journal<AlertRecord>;
  /** Not the pool of intake: an accept waits for nothing that comes from here. */
  db: Db;
  sending: Sending;
  readOwnPhone: ReadOwnPhone;
  settings: DispatchSettings;
  alertMetrics: Pick<AlertMetrics, 'unpersistedNotify'>;
  crashAt: CrashAlert;
  telemetry: Telemetry;
  log: Logger;
}): DirectSending {
  const { findRecipients, lists, publishEvent, messages, metrics, work, gather, signals } = sending;
  const announce: typeof sending.announce = (what) => sending.announce({ ...what, isProvisional: true });
  const direct = createDirectStore({ journal, signals, settings, crashAt, log });
  const lateAcks = createLateAcks({ journal, work, store: sending.store, log });
  const accepts = createAlertStore({ db });
  const handOver = createHandOver({ db });
  const handingOver = createLimitInFlight(maxBringing);
  const bringing = createLimitInFlight(maxBringing);
  const underWay = new Set<Promise<void>>();

  telemetry.gauge({
    name: 'sos_direct_alerts',
    help: 'Alerts that this node sends by itself, since the database does not have them',
    collect() {
      this.set(direct.size);
    },
  });
  const refused = telemetry.counter({
    name: 'sos_direct_refused_total',
    help: 'Alerts that this node would have sent by itself, and had no room for',
  });

  const dispatch = createDispatchAlert({
    store: direct,
    gather: direct,
    announce,
    // As the press had them: whether any was removed since, nobody can say.
    currentContacts: async ({ contacts }) => contacts,
    readOwnPhone: (userId) => raceTimer(readOwnPhone(userId), phoneWithinMs, () => undefined),
    sendEntry: sending.sendEntry,
    sendInside: createSendInside({ announce, publishEvent, lists, findRecipients, messages }),
    settings,
    crashAt,
    metrics,
    log,
  });

  /** Beside what is under way of the same alert: a slow send keeps no escalation waiting. */
  function begin(alertId: string): void {
    if (underWay.size >= settings.processors) return;
    const sent = dispatch(alertId)
      .catch((err: unknown) => log.warn({ err, alertId }, 'an alert could not be sent by this node, it tries again'))
      .finally(() => underWay.delete(sent));
    underWay.add(sent);
  }

  const give: DirectSending['handOver'] = ({ _id: alertId }, triggerId) =>
    direct.letGo(triggerId, (held) => handingOver(() => handOverOne(alertId, held)));

  async function handOverOne(alertId: string, held: DirectAlert): Promise<Successor> {
    const { document, attempts } = held;
    const { acknowledgedBy: by, acknowledgedAt } = document;
    await handOver(alertId, held);
    if (by !== undefined && acknowledgedAt !== undefined) {
      // Where somebody had changed the alert meanwhile, it is one word more; else it is said already.
      await acknowledgeQuietly(work, { alertId, by, atMs: acknowledgedAt.getTime() });
      const alert = await work.store.find(alertId);
      if (alert?.acknowledgedBy === by) {
        await sending.announce({ alert, name: 'sos.acknowledged', atMs: alert.changedAt.getTime(), byUserId: by });
      }
    }
    const { _id: directId } = document;
    log.warn({ alertId, directId, count: attempts.size }, 'an alert that this node sent was handed over');
    return { alertId, add: gather.add };
  }

  /** Nothing holds them but this process: it is up to us to store them. */
  async function storeUnpersisted(): Promise<void> {
    let isAway = false;
    const bringOne = async ({ record }: DirectAlert) => {
      if (isAway) return;
      try {
        const ageMs = Math.max(0, Date.now() - Date.parse(record.acceptedAt));
        const { alert } = await accepts.accept(record, { ageMs, isHeld: true });
        await give(alert, record.triggerId);
      } catch (error) {
        isAway = true;
        throw error;
      }
    };
    await Promise.all(direct.unpersisted().map((one) => bringing(() => bringOne(one))));
  }

  async function acknowledge(
    alertId: string,
    { by, attemptId }: { by: string; attemptId?: string },
  ): Promise<{ acceptedAt: string }> {
    const ack = { by, atMs: Date.now(), ...(attemptId !== undefined && { attemptId }) };
    const own = await direct.acknowledge(alertId, ack);
    if (own === undefined) await lateAcks.keep(alertId, ack);
    // Whichever node sends it looks there before it sends anything more. Of our own call we know whom it called.
    const told = own === undefined ? ack : { by, atMs: ack.atMs };
    const isTold = await signals.tellAcknowledged(own?.alert._id ?? alertId, told);
    if (own !== undefined) {
      if (!own.isKept && !isTold) throw new AppError('sos_not_persisted', { detail: 'nothing keeps it' });
      const { alert } = own;
      await announce({ alert, name: 'sos.acknowledged', atMs: alert.changedAt.getTime(), byUserId: by });
      begin(alert._id);
    }
    return { acceptedAt: new Date(ack.atMs).toISOString() };
  }

  /** @returns false where somebody was faster */
  async function acknowledgeByKey(alertId: string, order: { by: string; attemptId?: string }): Promise<boolean> {
    try {
      await acknowledge(alertId, order);
      return true;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'sos_taken') throw error;
      return false;
    }
  }

  const takeOwnReceipt = createTakeAlertReceipt({
    store: direct,
    gather: direct,
    acknowledge: (alertId, by) => acknowledgeByKey(alertId, { by }),
    metrics,
  });

  const markSeen = createMarkAlertSeen({ store: direct, takeReceipt: takeOwnReceipt });

  async function takeReceipt(receipt: Receipt): Promise<Taken> {
    const read = receipt.attemptId === undefined ? undefined : readAlertAttemptId(receipt.attemptId);
    const isOwn =
      read === undefined ? (await direct.findByMessage(receipt)) !== null : direct.get(read.alertId) !== undefined;
    return isOwn && takeOwnReceipt(receipt);
  }

  async function takeReceiptAlone(receipt: Receipt): Promise<Taken> {
    const taken = await takeReceipt(receipt);
    if (taken) return taken;
    const { attemptId, digits } = receipt;
    const read = attemptId === undefined ? undefined : readAlertAttemptId(attemptId);
    if (attemptId === undefined || read === undefined || digits === undefined) return false;
    // Nothing of it has to be kept: whoever pressed it is asked again.
    if (digits !== acknowledgeKey) return 'other-key';
    // Whether that call was one to somebody on call, the node knows that made it.
    return (await acknowledgeByKey(read.alertId, { by: 'on-call', attemptId })) ? 'acknowledged' : 'taken';
  }

  const sweep = createPeriodic({
    name: 'send alerts without the database',
    everyMs: settings.sweepMs,
    log,
    async run() {
      for (const alertId of direct.dueIds()) begin(alertId);
    },
  });
  const bring = createPeriodic({
    name: 'bring to the database what waits for it',
    everyMs: settings.sweepMs,
    log,
    async run() {
      const attempts = createAttempts();
      await attempts.make(storeUnpersisted);
      await attempts.make(lateAcks.bring);
      attempts.throwFirst();
    },
  });
  const rota = createPeriodic({
    name: 'know who is on call',
    everyMs: rotaEveryMs,
    log,
    run: async () => void (await sending.onCall.readOnCall({ atMs: Date.now(), withinMs: rotaWithinMs })),
  });
  const periodics = [sweep, bring, rota];

  function adopt(from: Journal<AlertRecord>): void {
    direct.adopt(from);
    lateAcks.adopt(from, (alertId) => direct.get(alertId) !== undefined);
  }

  return {
    holds: (triggerId) => direct.get(triggerId) !== undefined,
    take(record, { isPersisted, areOperatorsTold }) {
      if (record.isDrill) return;
      const taken = direct.take(record, { isPersisted, areOperatorsTold });
      if (taken === undefined) {
        refused.inc();
        return;
      }
      const { alert, isNew, isPressedAgain } = taken;
      if (isNew && !isPersisted) alertMetrics.unpersistedNotify.inc();
      if (isPressedAgain) void announce({ alert, name: 'sos.pressed_again', atMs: alert.changedAt.getTime() });
      begin(alert._id);
    },
    adopt,
    takePending: direct.takePending,
    dropOrphans: direct.dropOrphans,
    handOver: give,
    find: (triggerId) => direct.get(triggerId)?.document,
    acknowledge: (alertId, by) => acknowledge(alertId, { by }),
    takeReceipt,
    takeReceiptAlone,
    markSeen: async (seen) => direct.get(seen.alertId) !== undefined && markSeen(seen),
    readPrompt: createReadAlertPrompt({ store: direct, readOwnPhone, messages }),
    start() {
      adopt(journal);
      for (const one of periodics) one.start();
    },
    async close() {
      await Promise.all(periodics.map((one) => one.close()));
      await Promise.all(underWay);
    },
  };
}
