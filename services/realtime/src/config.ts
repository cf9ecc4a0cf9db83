import { realtimeLimits } from '@hushryd/contracts/realtime/limits';
import { readEnvironment } from '@hushryd/platform/config/read-environment';
import {
  commonEnvironment,
  redisEnvironment,
  tokenEnvironment,
  toRedisSettings,
  toTokenSettings,
} from '@hushryd/platform/config/shared-environment';
import { acceptEnvironment, toAcceptLimits } from '@hushryd/tracking/accept-limits';
import { batchEnvironment, toBatchSettings } from '@hushryd/tracking/batch-settings';
import Type from 'typebox';

const atMost = (limit: number) => Type.Integer({ minimum: 1, maximum: limit, default: limit });
const httpAddress = { pattern: '^https?://.+', expects: 'an address such as http://127.0.0.1:5010' };

export const RealtimeEnvironmentSchema = Type.Object({
  ...commonEnvironment,
  ...redisEnvironment,
  ...tokenEnvironment,
  ...acceptEnvironment,
  ...batchEnvironment,
  METRICS_PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 9465 }),
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 5001 }),
  /** Web origins whose pages may connect. Apps send none and are not asked. */
  ALLOWED_ORIGINS: Type.Array(
    Type.String({ pattern: '^https?://[^/]+$', expects: 'origins such as https://ops.example' }),
    {
      default: [],
    },
  ),
  /** Internal listeners of the api, asked in this order for trip access that Redis lost. */
  INTERNAL_API_URLS: Type.Array(Type.String(httpAddress), { minItems: 1, default: ['http://127.0.0.1:5010'] }),
  INTERNAL_API_TIMEOUT_MS: Type.Integer({ minimum: 10, maximum: 5000, default: 300 }),
  /** Time that each of two addresses has to take an alert. */
  SOS_FORWARD_MS: Type.Integer({ minimum: 100, maximum: 5000, default: 1000 }),

  MAX_FRAME_BYTES: atMost(realtimeLimits.frameBytes),
  /** Higher than the protocol's only for load tests of our own: clients keep to what contracts say. */
  MAX_FRAMES_PER_SECOND: Type.Integer({ minimum: 1, default: realtimeLimits.framesPerSecond }),
  MAX_TOPICS_PER_SOCKET: atMost(realtimeLimits.topicsPerSocket),
  MAX_SOCKETS_PER_USER: Type.Integer({ minimum: 1, default: realtimeLimits.socketsPerUser }),
  /** Bad frames in a row (one is forgiven every two seconds) that end a socket. */
  MAX_BAD_FRAMES: Type.Integer({ minimum: 1, default: 20 }),
  /** New sockets a second that this node takes; the others hear when to try again. */
  MAX_ACCEPTS_PER_SECOND: Type.Integer({ minimum: 1, default: 1000 }),
  /** New sockets a second that all nodes together take, each an equal share. Absent: three times what one node takes. */
  MAX_SERVER_ACCEPTS_PER_SECOND: Type.Optional(Type.Integer({ minimum: 1 })),
  /** Upgrades that wait for their ticket or lease at the same time. */
  MAX_PENDING_UPGRADES: Type.Integer({ minimum: 1, default: 1000 }),
  UPGRADE_TIMEOUT_MS: Type.Integer({ minimum: 100, maximum: 10_000, default: 3000 }),

  /** A socket that holds this much unsent gets only the newest position of each driver until it has caught up. */
  SLOW_SOCKET_BYTES: Type.Integer({ minimum: 1024, default: 32_768 }),
  /** A socket that would hold more than this is closed. */
  MAX_SOCKET_BUFFER_BYTES: Type.Integer({ minimum: 4096, default: 65_536 }),
  /** Without a word for this long a socket is closed; pings go out by themselves. Steps of 4 s, at least 8. */
  IDLE_TIMEOUT_SECONDS: Type.Integer({ minimum: 8, maximum: 960, default: 16 }),
  /** Longest time over which sockets are asked to leave at the end. */
  DRAIN_MS: Type.Integer({ minimum: 0, maximum: 20_000, default: 8000 }),
});

export type RealtimeConfig = ReturnType<typeof readConfig>;

/** @throws ConfigError with a sentence for each bad variable */
export function readConfig(env: Readonly<Record<string, string | undefined>>) {
  const values = readEnvironment(RealtimeEnvironmentSchema, env);
  return {
    logLevel: values.LOG_LEVEL,
    host: values.HOST,
    port: values.PORT,
    metricsPort: values.METRICS_PORT,
    shutdownTimeoutMs: values.SHUTDOWN_TIMEOUT_MS,
    drainMs: values.DRAIN_MS,
    redis: toRedisSettings(values),
    tokens: toTokenSettings(values),
    accept: toAcceptLimits(values),
    batch: toBatchSettings(values),
    internalApi: { urls: values.INTERNAL_API_URLS, timeoutMs: values.INTERNAL_API_TIMEOUT_MS },
    sosForwardMs: values.SOS_FORWARD_MS,
    upgrades: {
      allowedOrigins: new Set(values.ALLOWED_ORIGINS),
      maxPerSecond: values.MAX_ACCEPTS_PER_SECOND,
      maxServerPerSecond: values.MAX_SERVER_ACCEPTS_PER_SECOND ?? 3 * values.MAX_ACCEPTS_PER_SECOND,
      maxPending: values.MAX_PENDING_UPGRADES,
      timeoutMs: values.UPGRADE_TIMEOUT_MS,
      maxSocketsPerUser: values.MAX_SOCKETS_PER_USER,
    },
    sockets: {
      maxFrameBytes: values.MAX_FRAME_BYTES,
      maxFramesPerSecond: values.MAX_FRAMES_PER_SECOND,
      maxBadFrames: values.MAX_BAD_FRAMES,
      maxTopics: values.MAX_TOPICS_PER_SOCKET,
      slowBytes: values.SLOW_SOCKET_BYTES,
      maxBufferBytes: values.MAX_SOCKET_BUFFER_BYTES,
      idleTimeoutSeconds: values.IDLE_TIMEOUT_SECONDS,
    },
  };
}
