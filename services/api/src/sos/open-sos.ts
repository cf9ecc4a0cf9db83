import { type AlertMetrics, createAlertMetrics } from '@hushryd/outreach/alerts/alert-metrics';
import { type AlertStore, createAlertStore } from '@hushryd/outreach/alerts/alert-store';
import { createAnnounceAlert } from '@hushryd/outreach/alerts/announce-alert';
import type { VerifyCancelPin } from '@hushryd/outreach/alerts/cancel-alert';
import type { AlertWork } from '@hushryd/outreach/alerts/change-alert';
import { alertCrashPoints } from '@hushryd/outreach/alerts/crash-points';
import type { NoteSealer } from '@hushryd/outreach/alerts/note-sealer';
import { createRaiseSos, type RaiseSos } from '@hushryd/outreach/alerts/raise-sos';
import type { ReadOutreachList } from '@hushryd/outreach/alerts/record-press';
import type { ShowParts } from '@hushryd/outreach/alerts/show-alert';
import { isTriggerRecord } from '@hushryd/outreach/alerts/trigger-record';
import { personOrAlertOf } from '@hushryd/outreach/direct/direct-records';
import { type DirectSending, openDirect } from '@hushryd/outreach/direct/open-direct';
import type { DispatchSettings } from '@hushryd/outreach/dispatch/dispatch-settings';
import type { Dispatch, DispatchParts } from '@hushryd/outreach/dispatch/open-dispatch';
import { openSosQueue } from '@hushryd/outreach/dispatch/sos-queue';
import { createIntakeStream } from '@hushryd/outreach/journal/intake-stream';
import { openJournal } from '@hushryd/outreach/journal/journal';
import { createReplay } from '@hushryd/outreach/journal/replay-presses';
import type { ReadOwnPhone } from '@hushryd/outreach/people/safety/read-own-phone';
import type { TimelineStore } from '@hushryd/outreach/timeline/timeline-store';
import { trackAnnounced } from '@hushryd/outreach/trail/track-announced';
import type { TrackedAlerts } from '@hushryd/outreach/trail/tracked-alerts';
import type { CrashSetting } from '@hushryd/platform/config/faults-environment';
import type { MongoSettings, RedisSettings } from '@hushryd/platform/config/shared-environment';
import { createCrashPoints } from '@hushryd/platform/lifecycle/crash-points';
import type { Lifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import type { Logger } from '@hushryd/platform/logging/logger';
import { connectMongo } from '@hushryd/platform/mongo/connect';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import type { PublishEvent } from '@hushryd/platform/topics/publish-event';
import { createTakePress, type TakePress } from '../take-press.ts';

export interface SosSettings {
  journal: { rootDir: string; maxBytes: number };
  /** Connections to MongoDB that nothing but alerts uses. */
  poolSize: number;
  replayMs: number;
  crash: CrashSetting | undefined;
}

/** What the room of people brings. */
export interface SosPeople {
  readOutreachList: ReadOutreachList;
  verifyPin: VerifyCancelPin;
  sealer: NoteSealer;
}

/** The guards of the way in; others than the real ones are for negative controls, which show that a broken one is found out. */
export interface SosGuards {
  createAlertStore: typeof createAlertStore;
  createRaiseSos: typeof createRaiseSos;
}

/** What the routes of alerts work with. */
export interface SosParts {
  store: AlertStore;
  metrics: AlertMetrics;
  takePress: TakePress;
  raiseSos: RaiseSos;
  /** Whether the journal of this node takes a press, whatever the stores do. */
  canKeep: () => boolean;
  work: AlertWork & { sealer: NoteSealer; verifyPin: VerifyCancelPin; readOwnPhone: ReadOwnPhone };
  show: ShowParts;
  /** Sends what is due, as every process does that may send. */
  dispatch: Dispatch;
  /** Sends by itself what the database could not take. */
  direct: DirectSending;
}

/** Longer than the signals of single operations: an alert has no use for a pool that waits. */
const alertDeadlineMs = 1_500;

/**
 * The way in of alerts, on connections of its own to both stores and a journal of its own on this node, so that nothing else makes an
 * alert wait. Replays what this node, or one before it, could not bring to the database, and sends what is due beside the workers.
 *
 * @throws ConfigError where the journal's folder cannot be used, or Redis evicts
 */
export async function openSos({
  settings,
  redis,
  redisWithinMs,
  mongo,
  region,
  people,
  publishEvent,
  timeline,
  tracked,
  dispatch: dispatchSettings,
  usesQueue,
  openDispatch,
  guards = { createAlertStore, createRaiseSos },
  log,
  telemetry,
  lifecycle,
}: {
  settings: SosSettings;
  redis: RedisSettings;
  /** How long each connection to it is waited for. */
  redisWithinMs: number | undefined;
  mongo: MongoSettings;
  region: string;
  people: SosPeople;
  publishEvent: PublishEvent;
  /** Beside intake, for whoever reads. */
  timeline: TimelineStore;
  tracked: TrackedAlerts;
  dispatch: DispatchSettings;
  /** Without it workers find alerts by their sweepers. */
  usesQueue: boolean;
  openDispatch: (own: Pick<DispatchParts, 'db' | 'alertMetrics' | 'crashAt'>) => Dispatch;
  guards?: SosGuards;
  log: Logger;
  telemetry: Telemetry;
  lifecycle: Lifecycle;
}): Promise<SosParts> {
  const { poolSize } = settings;
  const pool = connectMongo({
    settings: { ...mongo, poolSize, minPoolSize: Math.min(2, poolSize, mongo.minPoolSize) },
    log,
  });
  lifecycle.add('mongodb of alerts', () => pool.close());
  const connections = await connectRedis({
    settings: redis,
    role: 'queue',
    patience: { onRefused: lifecycle.fail },
    connectTimeoutMs: redisWithinMs,
    log,
    telemetry,
  });
  lifecycle.add('redis of alerts', () => connections.close());
  const journal = await openJournal({ settings: settings.journal, ownerOf: personOrAlertOf, log });
  lifecycle.add('sos journal', () => journal.close());
  telemetry.gauge({
    name: 'sos_journal_bytes',
    help: 'Size of what this node holds of alerts outside the database',
    collect() {
      this.set(journal.bytes);
    },
  });
  telemetry.gauge({
    name: 'sos_journal_presses',
    help: 'Presses, and what was done about them, that this node holds until the database is known to have them',
    collect() {
      this.set(journal.pending().length);
    },
  });

  const keys = createKeys(redis);
  const metrics = createAlertMetrics(telemetry);
  const crashAt = createCrashPoints({ points: alertCrashPoints, setting: settings.crash });
  const store = guards.createAlertStore({ db: pool.db, deadlineMs: alertDeadlineMs });
  const { mapUrl } = dispatchSettings.messages;
  const announce = trackAnnounced({
    announce: createAnnounceAlert({ publishEvent, mapUrl, metrics, log }),
    tracked,
    log,
  });
  const sendingPool = connectMongo({
    settings: { ...mongo, poolSize: dispatchSettings.poolSize, minPoolSize: Math.min(1, mongo.minPoolSize) },
    log,
  });
  lifecycle.add('mongodb of dispatch', () => sendingPool.close());
  const dispatch = openDispatch({ db: sendingPool.db, alertMetrics: metrics, crashAt });
  const direct = openDirect({
    journal,
    db: sendingPool.db,
    sending: dispatch.sending,
    readOwnPhone: dispatch.readOwnPhone,
    settings: dispatchSettings,
    alertMetrics: metrics,
    crashAt,
    telemetry,
    log,
  });
  const intake = createIntakeStream({
    redis: connections.commands,
    keys,
    isBody: isTriggerRecord,
    metrics,
    log,
  });
  const replay = createReplay({
    store,
    journal,
    journalSettings: settings.journal,
    intake,
    direct,
    signals: dispatch.sending.signals,
    announce,
    crashAt,
    metrics,
    log,
    everyMs: settings.replayMs,
  });
  // Closed from the last to the first: dispatch tells all of them that nothing new is to be begun, and journals of others are let go
  // when nobody sends what lies in them any more.
  lifecycle.add('journals of others', () => replay.release());
  lifecycle.add('alerts sent without the database', () => direct.close());
  lifecycle.add('dispatch of alerts', () => dispatch.close());
  dispatch.start();
  direct.start();

  const queue = usesQueue ? await openSosQueue({ settings: redis, connectTimeoutMs: redisWithinMs, log }) : undefined;
  if (queue !== undefined) lifecycle.add('queue of alerts', () => queue.close());
  const raiseSos = guards.createRaiseSos({
    store,
    journal,
    intake,
    announce,
    direct,
    hint: queue?.hint,
    crashAt,
    metrics,
    log,
    region,
    readOutreachList: people.readOutreachList,
    sealer: people.sealer,
  });
  lifecycle.add('announcements of alerts', () => raiseSos.settled());

  replay.start();
  lifecycle.add('replay of alerts', () => replay.close());

  const { sealer, verifyPin } = people;
  return {
    store,
    metrics,
    takePress: createTakePress({ metrics, log }),
    raiseSos,
    canKeep: () => journal.canTake,
    work: { store, announce, sealer, verifyPin, readOwnPhone: dispatch.readOwnPhone },
    show: { sealer, mapUrl, timeline },
    dispatch,
    direct,
  };
}
