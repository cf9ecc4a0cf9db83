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
import type { AcceptLimits } from '@hushryd/tracking/accept-fix';
import { acceptEnvironment, toAcceptLimits } from '@hushryd/tracking/accept-limits';
import { type BatchSettings, batchEnvironment, toBatchSettings } from '@hushryd/tracking/batch-settings';
import Type from 'typebox';

const port = { minimum: 0, maximum: 65_535 };

const environment = Type.Object({
  ...commonEnvironment,
  ...redisEnvironment,
  ...mongoEnvironment,
  ...tokenEnvironment,
  ...acceptEnvironment,
  ...batchEnvironment,
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
  acceptLimits: AcceptLimits;
  batch: BatchSettings;
}

/** @throws ConfigError with one sentence for each bad or missing variable */
export function readConfig(env: Readonly<Record<string, string | undefined>>): ApiConfig {
  const values = readEnvironment(environment, env);
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
    redis: toRedisSettings(values),
    mongo: toMongoSettings(values),
    tokens: toTokenSettings(values),
    acceptLimits: toAcceptLimits(values),
    batch: toBatchSettings(values),
  };
}
