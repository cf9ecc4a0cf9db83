import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkAddresses } from '@hushryd/outreach/delivery/check-addresses';
import {
  type DeliverySettings,
  deliveryEnvironment,
  toDeliverySettings,
} from '@hushryd/outreach/delivery/delivery-settings';
import {
  type DispatchSettings,
  dispatchEnvironment,
  toDispatchSettings,
  toSosRedis,
} from '@hushryd/outreach/dispatch/dispatch-settings';
import { type CanarySettings, canaryEnvironment, toCanarySettings } from '@hushryd/outreach/drills/canary-settings';
import {
  type NotificationSettings,
  notificationsEnvironment,
  toNotificationSettings,
} from '@hushryd/outreach/notifications/notification-settings';
import { ConfigError } from '@hushryd/platform/config/config-error';
import { faultsEnvironment, toCrashSetting } from '@hushryd/platform/config/faults-environment';
import { readEnvironment } from '@hushryd/platform/config/read-environment';
import {
  commonEnvironment,
  type MongoSettings,
  mongoEnvironment,
  type RedisSettings,
  redisEnvironment,
  type TokenSettings,
  tokenEnvironment,
  toMongoSettings,
  toRedisSettings,
  toTokenSettings,
} from '@hushryd/platform/config/shared-environment';
import { type FieldKeys, fieldKeyEnvironment, toFieldKeys } from '@hushryd/platform/crypto/field-keys';
import type { ProviderVariables } from '@hushryd/providers/provider-settings';
import { providersEnvironment } from '@hushryd/providers/providers-environment';
import type { AcceptLimits } from '@hushryd/tracking/accept-fix';
import { acceptEnvironment, toAcceptLimits } from '@hushryd/tracking/accept-limits';
import { type BatchSettings, batchEnvironment, toBatchSettings } from '@hushryd/tracking/batch-settings';
import Type from 'typebox';
import type { SosSettings } from './sos/open-sos.ts';

const port = { minimum: 0, maximum: 65_535 };

const environment = Type.Object({
  ...commonEnvironment,
  ...redisEnvironment,
  ...mongoEnvironment,
  ...tokenEnvironment,
  ...fieldKeyEnvironment,
  ...acceptEnvironment,
  ...batchEnvironment,
  ...faultsEnvironment,
  ...providersEnvironment,
  ...notificationsEnvironment,
  ...deliveryEnvironment,
  ...dispatchEnvironment,
  ...canaryEnvironment,
  METRICS_PORT: Type.Integer({ ...port, default: 9464 }),
  PORT: Type.Integer({ ...port, default: 5000 }),
  /** What realtime nodes ask: never reachable from outside. */
  INTERNAL_PORT: Type.Integer({ ...port, default: 5010 }),
  INTERNAL_HOST: Type.Optional(Type.String()),
  /** Web origins whose pages may call us, exactly as browsers send them. */
  CORS_ORIGINS: Type.Array(
    Type.String({ pattern: '^https?://[^/]+$', expects: 'an origin such as https://app.example' }),
    {
      default: [],
    },
  ),
  /** Addresses (CIDR) of the proxies whose X-Forwarded-For is believed. */
  TRUSTED_PROXIES: Type.Array(Type.String(), { default: [] }),
  /** Written into trips and people; with their creation time the shard key. */
  REGION: Type.String({ pattern: '^[a-z0-9-]{1,32}$', default: 'default' }),
  /** Requests that wait for a position to change, a process. More of them are answered at once. */
  LONG_POLL_MAX_WAITERS: Type.Integer({ minimum: 0, maximum: 1_000_000, default: 10_000 }),
  /** Streams of server-sent events, a process and a user. More of them are refused. */
  EVENT_STREAMS_MAX: Type.Integer({ minimum: 0, maximum: 1_000_000, default: 10_000 }),
  EVENT_STREAMS_PER_USER: Type.Integer({ minimum: 1, maximum: 1_000, default: 8 }),
  /** Folder on this node's disk for alerts that MongoDB does not have yet. Has to outlive the process. */
  SOS_JOURNAL_DIR: Type.Optional(Type.String()),
  SOS_JOURNAL_MAX_BYTES: Type.Integer({ minimum: 65_536, default: 67_108_864 }),
  /** Connections to MongoDB for alerts alone, a process. */
  SOS_POOL_SIZE: Type.Integer({ minimum: 1, maximum: 500, default: 20 }),
  /** How often what lies in the journal or the intake stream is brought to MongoDB. */
  SOS_REPLAY_MS: Type.Integer({ minimum: 10, maximum: 60_000, default: 1000 }),
});

export interface ApiConfig {
  logLevel: string;
  host: string;
  port: number;
  internalHost: string;
  internalPort: number;
  metricsPort: number;
  shutdownTimeoutMs: number;
  corsOrigins: string[];
  trustedProxies: string[];
  region: string;
  longPollMaxWaiters: number;
  eventStreams: { maxStreams: number; maxPerUser: number };
  redis: RedisSettings;
  mongo: MongoSettings;
  tokens: TokenSettings;
  fieldKeys: FieldKeys;
  acceptLimits: AcceptLimits;
  batch: BatchSettings;
  sos: SosSettings;
  /** Where alerts wait for MongoDB, and their queue is. */
  sosRedis: RedisSettings;
  providers: ProviderVariables;
  delivery: DeliverySettings;
  dispatch: DispatchSettings;
  /** Undefined: none. */
  canary: CanarySettings | undefined;
  notifications: NotificationSettings;
}

/** @throws ConfigError with one sentence for each bad or missing variable */
export function readConfig(env: Readonly<Record<string, string | undefined>>): ApiConfig {
  const values = readEnvironment(environment, env);
  checkAddresses(values);
  const redis = toRedisSettings(values);
  const mongo = toMongoSettings(values);
  return {
    logLevel: values.LOG_LEVEL,
    host: values.HOST,
    port: values.PORT,
    internalHost: values.INTERNAL_HOST ?? values.HOST,
    internalPort: values.INTERNAL_PORT,
    metricsPort: values.METRICS_PORT,
    shutdownTimeoutMs: values.SHUTDOWN_TIMEOUT_MS,
    corsOrigins: values.CORS_ORIGINS,
    trustedProxies: values.TRUSTED_PROXIES,
    region: values.REGION,
    longPollMaxWaiters: values.LONG_POLL_MAX_WAITERS,
    eventStreams: { maxStreams: values.EVENT_STREAMS_MAX, maxPerUser: values.EVENT_STREAMS_PER_USER },
    redis,
    mongo,
    tokens: toTokenSettings(values),
    fieldKeys: toFieldKeys(values),
    acceptLimits: toAcceptLimits(values),
    batch: toBatchSettings(values),
    sos: {
      journal: {
        rootDir: values.SOS_JOURNAL_DIR ?? passingFolder(values.NODE_ENV, mongo),
        maxBytes: values.SOS_JOURNAL_MAX_BYTES,
      },
      poolSize: values.SOS_POOL_SIZE,
      replayMs: values.SOS_REPLAY_MS,
      crash: toCrashSetting(values),
    },
    sosRedis: toSosRedis(redis, values),
    providers: values,
    delivery: toDeliverySettings(values),
    dispatch: toDispatchSettings(values),
    canary: toCanarySettings(values),
    notifications: toNotificationSettings(values),
  };
}

/** For development: gone when the machine says so, and never shared by two databases. */
function passingFolder(nodeEnv: string, { url, database }: MongoSettings): string {
  if (nodeEnv === 'production') {
    throw new ConfigError(
      'SOS_JOURNAL_DIR is missing: set it to a folder on a disk that outlives this process; alerts are kept there while MongoDB is away.',
    );
  }
  const name = createHash('sha256').update(`${url} ${database}`).digest('hex').slice(0, 16);
  return join(tmpdir(), `hushryd-sos-${name}`);
}
