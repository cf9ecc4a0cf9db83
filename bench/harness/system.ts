import { randomBytes } from 'node:crypto';
import { freePort } from '@hushryd/platform/engines/ports';
import { createIssuer, type Issuer } from './issuer.ts';
import { type RunningService, startService } from './processes/start-service.ts';
import type { Stage } from './scenario.ts';
import type { Scope } from './scope.ts';

/** Services as processes over one Redis prefix and, where the api or a worker takes part, one database. */
export interface System {
  readonly issuer: Issuer;
  readonly redis: { readonly url: string; readonly prefix: string; readonly pid: number | undefined };
  /** @param env on top of what is the same for all */
  startRealtime(scope?: Scope, env?: Readonly<Record<string, string>>): Promise<ListeningService>;
  startApi(): Promise<ListeningService>;
  startWorker(scope?: Scope): Promise<RunningService>;
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

/** Nothing runs yet but the engines. */
export async function createSystem({ scope, engines, profileDir }: Stage): Promise<System> {
  const issuer = createIssuer();
  const redis = await engines.redis(scope);
  const internalPort = await freePort();
  const shared = {
    NODE_ENV: 'production',
    LOG_LEVEL: 'info',
    REDIS_URL: redis.url,
    REDIS_PREFIX: redis.prefix,
    METRICS_PORT: '0',
    TOKEN_PUBLIC_KEYS: issuer.publicKeys,
    SERVICE_TOKEN: randomBytes(24).toString('hex'),
  };
  let mongo: Promise<Record<string, string>> | undefined;
  const mongoEnv = () => {
    mongo ??= engines.mongo(scope).then(({ url, database }) => ({ MONGODB_URL: url, MONGODB_DATABASE: database }));
    return mongo;
  };

  return {
    issuer,
    redis,
    async startRealtime(ownScope = scope, env = {}) {
      const port = await freePort();
      const own = { PORT: String(port), INTERNAL_API_URLS: `http://127.0.0.1:${internalPort}`, ...loadLimits, ...env };
      const service = await startService(ownScope, { name: 'realtime', env: { ...shared, ...own }, profileDir });
      return { ...service, port };
    },
    async startApi() {
      const port = await freePort();
      const own = { PORT: String(port), INTERNAL_PORT: String(internalPort) };
      const env = { ...shared, ...own, ...(await mongoEnv()) };
      const service = await startService(scope, { name: 'api', env, profileDir });
      return { ...service, port };
    },
    async startWorker(ownScope = scope) {
      return startService(ownScope, { name: 'worker', env: { ...shared, ...(await mongoEnv()) }, profileDir });
    },
  };
}
