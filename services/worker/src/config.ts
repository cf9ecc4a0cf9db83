import { checkAddresses } from '@hushryd/outreach/delivery/check-addresses';
import { deliveryEnvironment, toDeliverySettings } from '@hushryd/outreach/delivery/delivery-settings';
import { dispatchEnvironment, toDispatchSettings, toSosRedis } from '@hushryd/outreach/dispatch/dispatch-settings';
import {
  notificationsEnvironment,
  toNotificationSettings,
} from '@hushryd/outreach/notifications/notification-settings';
import { faultsEnvironment, toCrashSetting } from '@hushryd/platform/config/faults-environment';
import { readEnvironment } from '@hushryd/platform/config/read-environment';
import {
  commonEnvironment,
  mongoEnvironment,
  redisEnvironment,
  toMongoSettings,
  toRedisSettings,
} from '@hushryd/platform/config/shared-environment';
import { fieldKeyEnvironment, toFieldKeys } from '@hushryd/platform/crypto/field-keys';
import { providersEnvironment } from '@hushryd/providers/providers-environment';
import { acceptEnvironment } from '@hushryd/tracking/accept-limits';
import Type from 'typebox';

const environment = Type.Object({
  ...commonEnvironment,
  ...redisEnvironment,
  ...mongoEnvironment,
  ...fieldKeyEnvironment,
  ...providersEnvironment,
  ...deliveryEnvironment,
  ...notificationsEnvironment,
  ...dispatchEnvironment,
  ...fieldKeyEnvironment,
  ...faultsEnvironment,
  METRICS_PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 9466 }),
  /** Where the company runs; stored with people and trips. */
  REGION: Type.String({ minLength: 1, default: 'default' }),
  /** History is written at the latest after this, or when so many fixes wait. */
  HISTORY_FLUSH_MS: Type.Integer({ minimum: 1, maximum: 60_000, default: 2000 }),
  HISTORY_FLUSH_FIXES: Type.Integer({ minimum: 1, maximum: 10_000, default: 500 }),
  /** How often an idle partition is looked at. */
  HISTORY_POLL_MS: Type.Integer({ minimum: 1, maximum: 10_000, default: 200 }),
  HISTORY_TTL_DAYS: Type.Integer({ minimum: 1, maximum: 3650, default: 90 }),
  /** Bytes of one partition's stream from which on phones are asked for a slower cadence. */
  HISTORY_STREAM_MAX_BYTES: Type.Integer({ minimum: 1, default: 64 * 1024 * 1024 }),
  HISTORY_SLOW_CADENCE_MS: Type.Integer({ minimum: 1000, default: 10_000 }),
  ROADS_TTL_DAYS: Type.Integer({ minimum: 1, maximum: 3650, default: 30 }),
  ROADS_FOLD_MS: Type.Integer({ minimum: 10, default: 5000 }),
  /** A dead worker's partitions are taken over after this. */
  PARTITION_LEASE_MS: Type.Integer({ minimum: 100, default: 5000 }),
  /** How often facts of alerts are brought to the timeline. */
  TIMELINE_SEAL_MS: Type.Integer({ minimum: 10, maximum: 60_000, default: 2000 }),
  SILENT_AFTER_MS: Type.Integer({ minimum: 10, default: 300_000 }),
  SILENT_CHECK_MS: Type.Integer({ minimum: 10, default: 10_000 }),
  /** Without a fix for this long the driver of a trip counts as silent, and the trip is told. */
  PRESENCE_SILENT_AFTER_MS: Type.Integer({ minimum: 10, default: 30_000 }),
  LIVE_MAX_AGE_MS: acceptEnvironment.LIVE_MAX_AGE_MS,
  PRESENCE_CHECK_MS: Type.Integer({ minimum: 10, default: 5000 }),
  REPUBLISH_CHANGED_MS: Type.Integer({ minimum: 10, default: 2000 }),
  REPUBLISH_ALL_MS: Type.Integer({ minimum: 10, default: 60_000 }),
});

export type WorkerConfig = ReturnType<typeof readConfig>;

/** @throws ConfigError with one sentence per variable that is missing or odd */
export function readConfig(variables: Record<string, string | undefined>) {
  const env = readEnvironment(environment, variables);
  checkAddresses(env);
  const redis = toRedisSettings(env);
  return {
    logLevel: env.LOG_LEVEL,
    host: env.HOST,
    metricsPort: env.METRICS_PORT,
    shutdownTimeoutMs: env.SHUTDOWN_TIMEOUT_MS,
    redis,
    sosRedis: toSosRedis(redis, env),
    fieldKeys: toFieldKeys(env),
    crash: toCrashSetting(env),
    mongo: toMongoSettings(env),
    region: env.REGION,
    history: {
      flushMs: env.HISTORY_FLUSH_MS,
      flushFixes: env.HISTORY_FLUSH_FIXES,
      pollMs: env.HISTORY_POLL_MS,
      ttlDays: env.HISTORY_TTL_DAYS,
      streamMaxBytes: env.HISTORY_STREAM_MAX_BYTES,
      slowCadenceMs: env.HISTORY_SLOW_CADENCE_MS,
      leaseMs: env.PARTITION_LEASE_MS,
    },
    roads: { ttlDays: env.ROADS_TTL_DAYS, foldMs: env.ROADS_FOLD_MS },
    timelineSealMs: env.TIMELINE_SEAL_MS,
    silent: { afterMs: env.SILENT_AFTER_MS, checkMs: env.SILENT_CHECK_MS },
    presence: {
      silentAfterMs: env.PRESENCE_SILENT_AFTER_MS,
      liveMaxAgeMs: env.LIVE_MAX_AGE_MS,
      checkMs: env.PRESENCE_CHECK_MS,
    },
    providers: env,
    delivery: toDeliverySettings(env),
    notifications: toNotificationSettings(env),
    dispatch: toDispatchSettings(env),
    republish: { changedMs: env.REPUBLISH_CHANGED_MS, allMs: env.REPUBLISH_ALL_MS },
  };
}
