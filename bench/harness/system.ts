import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@hushryd/platform/engines/ports';
import { createTestFieldKeys } from '@hushryd/platform/testing/field-keys';
import type { BenchMongo } from './engines.ts';
import { createIssuer, type Issuer } from './issuer.ts';
import { type RunningService, startService } from './processes/start-service.ts';
import type { Stage } from './scenario.ts';
import type { Scope } from './scope.ts';

/** Services as processes over one Redis prefix and, where the api or a worker takes part, one database. */
export interface System {
  readonly issuer: Issuer;
  /** Keys of private fields, as the services' variables. */
  readonly fieldKeys: Readonly<ReturnType<typeof createTestFieldKeys>>;
  readonly redis: { readonly url: string; readonly prefix: string; readonly pid: number | undefined };
  /** @param env on top of what is the same for all; undefined leaves the service its default */
  startRealtime(scope?: Scope, env?: Readonly<Record<string, string | undefined>>): Promise<ListeningService>;
  /** @param env on top of what is the same for all */
  startApi(scope?: Scope, env?: Readonly<Record<string, string>>): Promise<ListeningService>;
  /** @param env on top of what is the same for all */
  startWorker(scope?: Scope, env?: Readonly<Record<string, string>>): Promise<RunningService>;
}

export interface ListeningService extends RunningService {
  readonly port: number;
}

/**
 * Limits that keep single clients in bounds; a load generator plays thousands of clients with few sockets. What protects the node
 * itself (frame size, buffers, the guard and the filter of fixes) stays as shipped.
 */
const loadLimits = {
  MAX_FRAMES_PER_SECOND: '1000000',
  MAX_SOCKETS_PER_USER: '100000',
  MAX_ACCEPTS_PER_SECOND: '1000000',
  MAX_PENDING_UPGRADES: '100000',
  UPGRADE_TIMEOUT_MS: '10000',
};

/** On the machine's disk, and gone with the scope. */
async function journalDir(scope: Scope): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'hushryd-sos-'));
  scope.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

/**
 * Nothing runs yet but the engines.
 *
 * @param openMongo where another database is wanted than the one that the run shares
 */
export async function createSystem(
  { scope, engines, profileDir }: Pick<Stage, 'scope' | 'engines' | 'profileDir'>,
  { openMongo = engines.mongo }: { openMongo?: (scope: Scope) => Promise<BenchMongo> } = {},
): Promise<System> {
  const issuer = createIssuer();
  const redis = await engines.redis(scope);
  const internalPort = await freePort();
  const fieldKeys = createTestFieldKeys();
  const shared = {
    NODE_ENV: 'production',
    LOG_LEVEL: 'info',
    REDIS_URL: redis.url,
    REDIS_PREFIX: redis.prefix,
    METRICS_PORT: '0',
    TOKEN_PUBLIC_KEYS: issuer.publicKeys,
    SERVICE_TOKEN: randomBytes(24).toString('hex'),
    ...fieldKeys,
  };
  let mongo: Promise<Record<string, string>> | undefined;
  const mongoEnv = () => {
    mongo ??= openMongo(scope).then(({ url, database }) => ({ MONGODB_URL: url, MONGODB_DATABASE: database }));
    return mongo;
  };

  return {
    issuer,
    fieldKeys,
    redis,
    async startRealtime(ownScope = scope, env = {}) {
      const port = await freePort();
      const own = { PORT: String(port), INTERNAL_API_URLS: `http://127.0.0.1:${internalPort}`, ...loadLimits, ...env };
      const service = await startService(ownScope, { name: 'realtime', env: { ...shared, ...own }, profileDir });
      return { ...service, port };
    },
    async startApi(ownScope = scope, env = {}) {
      const port = await freePort();
      const own = {
        PORT: String(port),
        INTERNAL_PORT: String(internalPort),
        SOS_JOURNAL_DIR: await journalDir(ownScope),
      };
      const service = await startService(ownScope, {
        name: 'api',
        env: { ...shared, ...own, ...(await mongoEnv()), ...env },
        profileDir,
      });
      return { ...service, port };
    },
    async startWorker(ownScope = scope, own = {}) {
      const env = { ...shared, ...(await mongoEnv()), ...own };
      return startService(ownScope, { name: 'worker', env, profileDir });
    },
  };
}
