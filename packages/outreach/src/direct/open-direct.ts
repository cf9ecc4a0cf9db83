import { AppError } from '@hushryd/platform/errors/app-error';
import { createAttempts } from '@hushryd/platform/lifecycle/attempts';
import { createPeriodic } from '@hushryd/platform/lifecycle/periodic';
import { raceTimer } from '@hushryd/platform/lifecycle/race-timer';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import type { Receipt } from '@hushryd/providers/receipts/receipt';
import type { Db } from 'mongodb';
import type { AlertDocument } from '../alerts/alert-document.ts';
import type { AlertMetrics } from '../alerts/alert-metrics.ts';
import type { AlertStore } from '../alerts/alert-store.ts';
import type { CrashAlert } from '../alerts/crash-points.ts';
import type { TriggerRecord } from '../alerts/trigger-record.ts';
import { acknowledgeQuietly } from '../dispatch/acknowledge-quietly.ts';
import { readAlertAttemptId } from '../dispatch/attempt-id.ts';
import { createDispatchAlert } from '../dispatch/dispatch-alert.ts';
import type { DispatchSettings } from '../dispatch/dispatch-settings.ts';
import type { Sending } from '../dispatch/open-dispatch.ts';
import { createReadAlertPrompt } from '../dispatch/read-alert-prompt.ts';
import { createSendInside } from '../dispatch/send-inside.ts';
import { acknowledgeKey, createTakeAlertReceipt } from '../dispatch/take-alert-receipt.ts';
import type { Journal } from '../journal/journal.ts';
import { createLimitInFlight } from '../notifications/limit-in-flight.ts';
import type { ReadVoicePrompt } from '../notifications/read-voice-prompt.ts';
import type { ReadOwnPhone } from '../people/safety/read-own-phone.ts';
import type { TakeReceipt } from '../webhooks/take-webhook.ts';
import type { AlertRecord } from './direct-records.ts';
import {
  createDirectStore,
  type DirectAlert,
  type DirectStore,
  type StrangerAck,
  type Successor,
} from './direct-store.ts';
import { createHandOver } from './hand-over.ts';

/** Sending alerts that the database could not take, from the node that accepted them. */
export interface DirectSending {
  /** This node sends the alert of this press: it has to be stored as held, and handed over. */
  holds(triggerId: string): boolean;
  /** Begin to send a press that the database has not taken. */
  take(record: TriggerRecord, options: { isPersisted: boolean; areOperatorsTold: boolean }): void;
  /** What a process before this one left in a journal: see DirectStore. */
  adopt: DirectStore['adopt'];
  /** The database has the alert of this press: from here on it is everybody's. @throws AppError `database_unavailable` */
  handOver(alert: Pick<AlertDocument, '_id'>, triggerId: string): Promise<void>;
  /** The alert as this node knows it. */
  find(triggerId: string): AlertDocument | undefined;
  /**
   * A person takes care, while the database cannot say so: kept here, and told to whichever node sends the alert.
   *
   * @throws AppError `sos_not_persisted` where it could not be kept
   */
  acknowledge(alertId: string, by: string): Promise<{ acceptedAt: string }>;
  /** Of an alert that this node sends. */
  takeReceipt: TakeReceipt;
  /** While the database is away: also the key of somebody whom another node has called. */
  takeReceiptAlone: TakeReceipt;
  readPrompt: ReadVoicePrompt;
  start(): void;
  close(): Promise<void>;
}

/** Redis gets no longer than this on the way of an alert. Source: design §9. */
const redisWithinMs = 150;
const ackLifeSeconds = 86_400;
/** A person's own number is good to have in a message, and not worth waiting for. */
const phoneWithinMs = 300;
/** Alerts brought to the database at once: each has five seconds. */
const maxBringing = 8;
/** The rota is read again and again, so that one is known when both stores are away. */
const rotaEveryMs = 30_000;
const rotaWithinMs = 500;
/** After this nobody will bring the alert of an acknowledgement any more. */
const strangersWaitMs = 3_600_000;

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
  store,
  db,
  redis,
  keys,
  sending,
  readOwnPhone,
  settings,
  alertMetrics,
  crashAt,
  telemetry,
  log,
}: {
  journal: Journal<AlertRecord>;
  store: Pick<AlertStore, 'accept'>;
  db: Db;
  redis: RedisClient;
  keys: Pick<Keys, 'sosAcknowledged'>;
  sending: Sending;
  readOwnPhone: ReadOwnPhone;
  settings: DispatchSettings;
  alertMetrics: Pick<AlertMetrics, 'unpersistedNotify'>;
  crashAt: CrashAlert;
  telemetry: Telemetry;
  log: Logger;
}): DirectSending {
  const { findRecipients, lists, publishEvent, messages, metrics, work, gather } = sending;
  const announce: typeof sending.announce = (what) => sending.announce({ ...what, isProvisional: true });
  const direct: DirectStore = createDirectStore({
    journal,
    wasAcknowledged: (alertId) =>
      raceTimer(
        redis.get(keys.sosAcknowledged(alertId)).then(
          (by) => by ?? undefined,
          () => undefined,
        ),
        redisWithinMs,
        () => undefined,
      ),
    settings,
    log,
  });
  telemetry.gauge({
    name: 'sos_direct_alerts',
    help: 'Alerts that this node sends by itself, since the database does not have them',
    collect() {
      this.set(direct.size);
    },
  });

  const refused = telemetry.counter({
    name: 'sos_direct_refused_total',
    help: 'Alerts that this node would have sent by itself, and had no room for; they wait in its journal for the database',
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
  const handOver = createHandOver({ db });
  const underWay = new Map<string, Promise<void>>();
  const bringing = createLimitInFlight(maxBringing);
  const handingOver = createLimitInFlight(maxBringing);

  function begin(alertId: string, areOperatorsTold = false): void {
    if (underWay.has(alertId) || underWay.size >= settings.processors) return;
    const sent = dispatch(alertId, { areOperatorsTold })
      .catch((err: unknown) => log.warn({ err, alertId }, 'an alert could not be sent by this node, it tries again'))
      .finally(() => underWay.delete(alertId));
    underWay.set(alertId, sent);
  }

  const give: DirectSending['handOver'] = ({ _id: alertId }, triggerId) =>
    direct.letGo(triggerId, (held) => handingOver(() => handOverOne(alertId, held)));

  async function handOverOne(alertId: string, held: DirectAlert): Promise<Successor> {
    const { document, attempts } = held;
    const { acknowledgedBy: by } = document;
    const isWhole = await handOver(alertId, held);
    if (by !== undefined && isWhole) {
      const atMs = document.changedAt.getTime();
      await sending.announce({ alert: document, name: 'sos.acknowledged', atMs, byUserId: by });
    } else if (by !== undefined) {
      await acknowledgeQuietly(work, { alertId, by });
    }
    const { _id: directId } = document;
    log.warn({ alertId, directId, count: attempts.size }, 'an alert that this node sent was handed over');
    return { alertId, add: gather.add };
  }

  /** Nothing holds them but this process: it is up to us to store them. */
  async function storeUnpersisted(): Promise<void> {
    const bringOne = async ({ record }: DirectAlert) => {
      const ageMs = Math.max(0, Date.now() - Date.parse(record.acceptedAt));
      const { alert } = await store.accept(record, { ageMs, isHeld: true });
      await give(alert, record.triggerId);
    };
    await Promise.all(direct.unpersisted().map((one) => bringing(() => bringOne(one))));
  }

  async function bringStrangers(): Promise<void> {
    const acks = direct.takeStrangers();
    for (const [index, ack] of acks.entries()) {
      try {
        if (await isBrought(ack)) await ack.settle();
        else direct.giveBack(ack);
      } catch (error) {
        for (const left of acks.slice(index)) direct.giveBack(left);
        throw error;
      }
    }
  }

  async function isBrought({ alertId, by, atMs }: StrangerAck): Promise<boolean> {
    try {
      await acknowledgeQuietly(work, { alertId, by });
      return true;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'not_found') throw error;
      if (Date.now() - atMs < strangersWaitMs) return false;
      log.error({ alertId }, 'an alert that somebody acknowledged never came');
      return true;
    }
  }

  async function acknowledge(alertId: string, by: string): Promise<{ acceptedAt: string }> {
    const alert = await direct.acknowledge(alertId, by);
    // Whichever node sends it looks there before it calls anybody.
    const told = redis
      .set(keys.sosAcknowledged(alert?._id ?? alertId), by, 'EX', ackLifeSeconds)
      .catch(() => undefined);
    await raceTimer(told, redisWithinMs, () => undefined);
    if (alert !== undefined) {
      await announce({ alert, name: 'sos.acknowledged', atMs: alert.changedAt.getTime(), byUserId: by });
      begin(alert._id);
    }
    return { acceptedAt: (alert?.acknowledgedAt ?? new Date()).toISOString() };
  }

  const takeOwnReceipt = createTakeAlertReceipt({
    store: direct,
    gather: direct,
    acknowledge: async (alertId, by) => void (await acknowledge(alertId, by)),
    metrics,
  });

  async function takeReceipt(receipt: Receipt): Promise<boolean> {
    const read = receipt.attemptId === undefined ? undefined : readAlertAttemptId(receipt.attemptId);
    const isOwn =
      read === undefined ? (await direct.findByMessage(receipt)) !== null : direct.get(read.alertId) !== undefined;
    return isOwn && takeOwnReceipt(receipt);
  }

  async function takeReceiptAlone(receipt: Receipt): Promise<boolean> {
    if (await takeReceipt(receipt)) return true;
    const read = receipt.attemptId === undefined ? undefined : readAlertAttemptId(receipt.attemptId);
    // Nobody else than whoever is on call is asked for a key.
    if (read === undefined || receipt.digits !== acknowledgeKey) return false;
    await acknowledge(read.alertId, 'on-call');
    return true;
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
      await attempts.make(bringStrangers);
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

  return {
    holds: (triggerId) => direct.get(triggerId) !== undefined,
    take(record, { isPersisted, areOperatorsTold }) {
      if (record.isDrill) return;
      const isNew = direct.get(record.triggerId) === undefined;
      const taken = direct.take(record, { isPersisted });
      if (isNew && !isPersisted) alertMetrics.unpersistedNotify.inc();
      if (taken === undefined) {
        refused.inc();
        return;
      }
      const { alert, isPressedAgain } = taken;
      if (isPressedAgain) void announce({ alert, name: 'sos.pressed_again', atMs: alert.changedAt.getTime() });
      begin(alert._id, areOperatorsTold);
    },
    adopt: direct.adopt,
    handOver: give,
    find: (triggerId) => direct.get(triggerId)?.document,
    acknowledge,
    takeReceipt,
    takeReceiptAlone,
    readPrompt: createReadAlertPrompt({ store: direct, readOwnPhone, messages }),
    start() {
      direct.adopt(journal);
      for (const one of periodics) one.start();
    },
    async close() {
      await Promise.all(periodics.map((one) => one.close()));
      await Promise.all(underWay.values());
    },
  };
}
