import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Role } from '@hushryd/platform/auth/claims';
import { createTokenSigner } from '@hushryd/platform/auth/sign-token';
import type { RedisSettings } from '@hushryd/platform/config/shared-environment';
import { freePort } from '@hushryd/platform/engines/ports';
import { ownMongo, ownRedis, type TestScope, testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { createTestFieldKeys } from '@hushryd/platform/testing/field-keys';
import { type RedisVariables, toSettings } from '@hushryd/platform/testing/redis-variables';
import { type ServiceOptions, type ServiceProcess, startService } from '@hushryd/platform/testing/service-process';
import type { ConnectionOptions } from '@hushryd/sdk/connection/connection-options';
import type { CreateSocket } from '@hushryd/sdk/connection/socket';
import { createHttpClient, type HttpClient } from '@hushryd/sdk/http/http-client';
import { WebSocket } from 'undici';

const tokenLifetimeMs = 900_000;
/** Seven processes that start at once on two busy cores take their time. */
const readyWithinMs = 60_000;

/** A service of the system under test, which can be started again at its address after it was killed. */
export interface SystemService {
  readonly url: string;
  readonly process: ServiceProcess;
  restart(): Promise<void>;
}

export interface System {
  readonly redisUrl: string;
  readonly redisPrefix: string;
  /** Of its Redis, for whoever looks into it from outside, also where it is several servers. */
  readonly redis: RedisSettings;
  readonly mongoUrl: string;
  readonly database: string;
  readonly apis: readonly SystemService[];
  readonly realtimes: readonly SystemService[];
  readonly workers: readonly SystemService[];
  /** One more worker, run from this main file: a negative control breaks a guard there. */
  startWorker(main: URL): Promise<ServiceProcess>;
  /** Likewise one more realtime node. */
  startRealtime(main: URL, env: Readonly<Record<string, string>>): Promise<{ url: string; process: ServiceProcess }>;
  /** @param sessionId tokens of one session are signed out together */
  token(userId: string, role: Role, sessionId?: string): string;
  /** What an SDK client needs to speak as this user to one of the nodes; over bearer, as native apps do. */
  connectionOptions(userId: string, role: Role, node?: number): ConnectionOptions;
  http(userId: string, role: Role, api?: number): HttpClient;
}

export interface SystemOptions {
  readonly apis?: number;
  readonly realtimes?: number;
  readonly workers?: number;
  /** Added to every service's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Added to that of one realtime node. */
  readonly realtimeEnv?: (index: number) => Readonly<Record<string, string>>;
  /** Of Node, for every service. */
  readonly nodeArgs?: readonly string[];
}

/** Native clients can set headers on a websocket, so they need no ticket. */
export const createNodeSocket: CreateSocket = (url, protocols, headers) => new WebSocket(url, { protocols, headers });

/** The whole product as real processes on free ports, over the engines the test runner shares, with names of its own in both. */
export async function startSystem(t: TestScope, options: SystemOptions = {}): Promise<System> {
  const redis = await testRedis(t);
  const mongo = await testMongo(t);
  return start(t, options, {
    redis: redis.variables,
    mongoUrl: mongo.url,
    database: mongo.database,
  });
}

/** The same over engines of its own, synced on commit, that may be killed, hung and restarted. */
export async function startSystemOnOwnEngines(t: TestScope, options: SystemOptions = {}) {
  const redis = await ownRedis(t);
  const mongo = await ownMongo(t);
  const system = await start(t, options, {
    redis: { REDIS_URL: redis.url },
    mongoUrl: mongo.url,
    database: 'test',
  });
  return { system, redis, mongo };
}

/** The same over a Redis that the test started, as several servers, and a MongoDB of its own. */
export async function startSystemOnRedis(t: TestScope, redis: RedisVariables, options: SystemOptions = {}) {
  const mongo = await ownMongo(t);
  const system = await start(t, options, { redis, mongoUrl: mongo.url, database: 'test' });
  return { system, mongo };
}

async function start(
  t: TestScope,
  { apis = 1, realtimes = 1, workers = 1, env = {}, realtimeEnv = () => ({}), nodeArgs = [] }: SystemOptions,
  engines: Pick<System, 'mongoUrl' | 'database'> & { redis: RedisVariables },
): Promise<System> {
  const { publicKeys, sign } = createIssuer();
  const shared = {
    NODE_ENV: 'test',
    LOG_LEVEL: 'info',
    ...engines.redis,
    MONGODB_URL: engines.mongoUrl,
    MONGODB_DATABASE: engines.database,
    MONGODB_MIN_POOL_SIZE: '0',
    TOKEN_PUBLIC_KEYS: publicKeys,
    ...createTestFieldKeys(),
    SERVICE_TOKEN: randomBytes(24).toString('hex'),
    METRICS_PORT: '0',
    HISTORY_FLUSH_MS: '50',
    HISTORY_POLL_MS: '20',
    ...env,
  };

  const workerList = await startEach(workers, () =>
    serve(t, { name: 'worker', env: shared, nodeArgs, ready: 'ready', port: 0 }),
  );
  const internalPorts = await startEach(apis, freePort);
  const apiList = await startEach(apis, async (index) => {
    const port = await freePort();
    const ports = { PORT: String(port), INTERNAL_PORT: String(internalPorts[index]) };
    return serve(t, { name: 'api', env: { ...shared, ...ports }, nodeArgs, ready: 'listening', port });
  });
  const internalUrls = internalPorts.map((port) => `http://127.0.0.1:${port}`).join(',');
  const realtimeList = await startEach(realtimes, async (index) => {
    const port = await freePort();
    const own = { PORT: String(port), INTERNAL_API_URLS: internalUrls, ...realtimeEnv(index) };
    return serve(t, { name: 'realtime', env: { ...shared, ...own }, nodeArgs, ready: 'listening', port });
  });

  const redisSettings = toSettings(engines.redis, {});
  const urlOf = (services: readonly SystemService[], index: number) => (services[index] as SystemService).url;
  const http = (userId: string, role: Role, api = 0) =>
    createHttpClient({ apiUrl: urlOf(apiList, api), getToken: async () => sign(userId, role) });
  return {
    redis: redisSettings,
    redisUrl: redisSettings.urls.live,
    redisPrefix: redisSettings.prefix,
    mongoUrl: engines.mongoUrl,
    database: engines.database,
    apis: apiList,
    realtimes: realtimeList,
    workers: workerList,
    startWorker: (main) =>
      startService(t, {
        name: 'worker',
        main: fileURLToPath(main),
        env: shared,
        ready: 'ready',
        readyWithinMs,
      }),
    startRealtime: async (main, own) => {
      const process = await startService(t, {
        name: 'realtime',
        main: fileURLToPath(main),
        env: { ...shared, PORT: '0', INTERNAL_API_URLS: internalUrls, ...own },
        nodeArgs,
        ready: 'listening',
        readyWithinMs,
      });
      const { port } = await process.waitForLog('listening');
      return { url: `http://127.0.0.1:${port}`, process };
    },
    token: sign,
    http,
    connectionOptions: (userId, role, node = 0) => ({
      realtimeUrl: urlOf(realtimeList, node).replace('http', 'ws'),
      apiUrl: urlOf(apiList, 0),
      getToken: async () => sign(userId, role),
      auth: 'bearer',
      createSocket: createNodeSocket,
    }),
  };
}

function createIssuer() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const publicKeys = JSON.stringify({ test: publicKey.export({ type: 'spki', format: 'pem' }) });
  const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const signer = createTokenSigner({ privateKeyPem, kid: 'test', issuer: 'hushryd' });
  const sign = (userId: string, role: Role, sessionId?: string) => {
    const audience = role === 'operator' ? 'admin' : 'user';
    const session = sessionId === undefined ? {} : { sessionId };
    return signer.sign({ userId, role, audience, lifetimeMs: tokenLifetimeMs, ...session });
  };
  return { publicKeys, sign };
}

async function serve(
  t: TestScope,
  { name, port, ...options }: Omit<ServiceOptions, 'main'> & { port: number },
): Promise<SystemService> {
  const main = fileURLToPath(new URL(`../../../services/${name}/dist/main.js`, import.meta.url));
  const begin = () => startService(t, { ...options, name, main, readyWithinMs });
  let process = await begin();
  return {
    url: `http://127.0.0.1:${port}`,
    get process() {
      return process;
    },
    async restart() {
      process = await begin();
    },
  };
}

const startEach = <Item>(count: number, begin: (index: number) => Promise<Item>): Promise<Item[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => begin(index)));
