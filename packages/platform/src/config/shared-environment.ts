import { readFileSync } from 'node:fs';
import Type from 'typebox';
import { ConfigError } from './config-error.ts';

const PortNumber = { minimum: 0, maximum: 65_535 } as const;

/** Variables of every process. Spread into a service's schema: `Type.Object({ ...commonEnvironment, … })`. */
export const commonEnvironment = {
  NODE_ENV: Type.Union([Type.Literal('development'), Type.Literal('test'), Type.Literal('production')], {
    default: 'development',
  }),
  LOG_LEVEL: Type.Union(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].map((level) => Type.Literal(level)),
    { default: 'info' },
  ),
  /** Address every listener of the process binds to. */
  HOST: Type.String({ default: '127.0.0.1' }),
  /** Prometheus metrics, a listener of its own. 0 takes a free port. */
  METRICS_PORT: Type.Integer({ ...PortNumber, default: 0 }),
  /** From SIGTERM to exit. */
  SHUTDOWN_TIMEOUT_MS: Type.Integer({ minimum: 100, maximum: 600_000, default: 25_000 }),
};

const REDIS_ADDRESS = {
  pattern: '^rediss?://.+',
  expects: 'an address such as redis://127.0.0.1:6379',
  secret: true,
} as const;

/** Variables of every process that uses Redis. */
export const redisEnvironment = {
  /** Where every role goes that has no address of its own. On a cluster: a comma list of some of its nodes. */
  REDIS_URL: Type.String(REDIS_ADDRESS),
  REDIS_LIVE_URL: Type.Optional(Type.String(REDIS_ADDRESS)),
  REDIS_QUEUE_URL: Type.Optional(Type.String(REDIS_ADDRESS)),
  REDIS_CACHE_URL: Type.Optional(Type.String(REDIS_ADDRESS)),
  REDIS_CLUSTER_MODE: Type.Boolean({ default: false }),
  REDIS_SENTINELS: Type.Optional(
    Type.Array(Type.String({ pattern: '^[^:\\s]+:\\d{1,5}$', expects: 'host:port' }), { minItems: 1 }),
  ),
  REDIS_SENTINEL_NAME: Type.Optional(Type.String({ minLength: 1 })),
  /** Begins every key and every channel. */
  REDIS_PREFIX: Type.String({ pattern: '^[A-Za-z0-9_.:-]*$', default: 'hushryd:' }),
  /** Changes on a Redis that holds data by a repartition alone: see the layout key. */
  REDIS_PARTITIONS: Type.Integer({ minimum: 1, maximum: 99, default: 16 }),
  /** A command without an answer is given up after this. */
  REDIS_COMMAND_TIMEOUT_MS: Type.Integer({ minimum: 10, maximum: 500, default: 500 }),
};

/** Variables of every process that uses MongoDB. */
export const mongoEnvironment = {
  MONGODB_URL: Type.Optional(mongoAddress()),
  /** The same under the name that other tools use; MONGODB_URL wins. */
  MONGODB_URI: Type.Optional(mongoAddress()),
  MONGODB_DATABASE: Type.String({ pattern: '^[A-Za-z0-9_-]{1,63}$', default: 'hushryd' }),
  MONGODB_POOL_SIZE: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
  MONGODB_MIN_POOL_SIZE: Type.Integer({ minimum: 0, maximum: 500, default: 10 }),
  MONGODB_DEADLINE_MS: Type.Integer({ minimum: 50, maximum: 60_000, default: 5_000 }),
};

/** Variables of every process that accepts signed-in callers. */
export const tokenEnvironment = {
  TOKEN_ISSUER: Type.String({ minLength: 1, default: 'hushryd' }),
  TOKEN_PUBLIC_KEYS: Type.Optional(
    Type.String({
      expects: 'a JSON object of key id to Ed25519 public key in PEM, {"2026-01": "-----BEGIN PUBLIC KEY…"}',
    }),
  ),
  /** Path of a file with the same JSON. */
  TOKEN_PUBLIC_KEYS_FILE: Type.Optional(Type.String()),
  /** What services show one another on internal listeners. */
  SERVICE_TOKEN: Type.String({ minLength: 32, secret: true }),
};

export interface RedisSettings {
  urls: { live: string; queue: string; cache: string };
  isCluster: boolean;
  /** `host:port` of each, with the name of the primary they watch. */
  sentinels: { hosts: string[]; name: string } | undefined;
  prefix: string;
  partitions: number;
  commandTimeoutMs: number;
  /** In production a live Redis has to keep what it acknowledged: see redis/check-durability.ts. */
  isProduction?: boolean;
}

export interface MongoSettings {
  url: string;
  database: string;
  poolSize: number;
  minPoolSize: number;
  deadlineMs: number;
}

export interface TokenSettings {
  issuer: string;
  /** The JSON that `parseKeyRing` reads. */
  publicKeysJson: string;
  serviceToken: string;
}

type Values<Properties extends Record<string, Type.TSchema>> = Type.Static<Type.TObject<Properties>>;

/** @throws ConfigError when sentinels come without a name, or together with cluster mode */
export function toRedisSettings(env: Values<typeof redisEnvironment> & { NODE_ENV?: string }): RedisSettings {
  if (env.REDIS_SENTINELS !== undefined && env.REDIS_SENTINEL_NAME === undefined) {
    throw new ConfigError(
      'REDIS_SENTINEL_NAME is missing: set it to the name of the primary that REDIS_SENTINELS watch.',
    );
  }
  if (env.REDIS_SENTINELS !== undefined && env.REDIS_CLUSTER_MODE) {
    throw new ConfigError(
      'REDIS_SENTINELS and REDIS_CLUSTER_MODE are both set: Redis runs as one or the other, remove one.',
    );
  }
  return {
    urls: {
      live: env.REDIS_LIVE_URL ?? env.REDIS_URL,
      queue: env.REDIS_QUEUE_URL ?? env.REDIS_URL,
      cache: env.REDIS_CACHE_URL ?? env.REDIS_URL,
    },
    isCluster: env.REDIS_CLUSTER_MODE,
    sentinels:
      env.REDIS_SENTINELS === undefined || env.REDIS_SENTINEL_NAME === undefined
        ? undefined
        : { hosts: env.REDIS_SENTINELS, name: env.REDIS_SENTINEL_NAME },
    prefix: env.REDIS_PREFIX,
    partitions: env.REDIS_PARTITIONS,
    commandTimeoutMs: env.REDIS_COMMAND_TIMEOUT_MS,
    ...(env.NODE_ENV === 'production' && { isProduction: true }),
  };
}

/** @throws ConfigError when no address is given, or the smallest pool is larger than the largest */
export function toMongoSettings(env: Values<typeof mongoEnvironment>): MongoSettings {
  const url = env.MONGODB_URL ?? env.MONGODB_URI;
  if (url === undefined) {
    throw new ConfigError('MONGODB_URL is missing: set it to an address such as mongodb://127.0.0.1:27017.');
  }
  if (env.MONGODB_MIN_POOL_SIZE > env.MONGODB_POOL_SIZE) {
    throw new ConfigError(
      `MONGODB_MIN_POOL_SIZE is ${env.MONGODB_MIN_POOL_SIZE}, above MONGODB_POOL_SIZE (${env.MONGODB_POOL_SIZE}): lower it.`,
    );
  }
  return {
    url,
    database: env.MONGODB_DATABASE,
    poolSize: env.MONGODB_POOL_SIZE,
    minPoolSize: env.MONGODB_MIN_POOL_SIZE,
    deadlineMs: env.MONGODB_DEADLINE_MS,
  };
}

/** Reads TOKEN_PUBLIC_KEYS_FILE where the keys themselves are not given. @throws ConfigError when there are none, or no such file */
export function toTokenSettings(env: Values<typeof tokenEnvironment>): TokenSettings {
  return {
    issuer: env.TOKEN_ISSUER,
    publicKeysJson: env.TOKEN_PUBLIC_KEYS ?? readKeysFile(env.TOKEN_PUBLIC_KEYS_FILE),
    serviceToken: env.SERVICE_TOKEN,
  };
}

function readKeysFile(path: string | undefined): string {
  if (path === undefined) {
    throw new ConfigError(
      'TOKEN_PUBLIC_KEYS is missing: set it to the JSON key ring, or TOKEN_PUBLIC_KEYS_FILE to a file with it.',
    );
  }
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ConfigError(
      `TOKEN_PUBLIC_KEYS_FILE names ${path}, which cannot be read: correct the path or its permissions.`,
      {
        cause,
      },
    );
  }
}

function mongoAddress() {
  return Type.String({
    pattern: '^mongodb(\\+srv)?://.+',
    expects: 'an address such as mongodb://127.0.0.1:27017',
    secret: true,
  });
}
