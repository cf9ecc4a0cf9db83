import { generateKeyPairSync } from 'node:crypto';
import { Writable } from 'node:stream';
import type { TripEventName } from '@hushryd/contracts/events/topic-event';
import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import { jsonSubprotocol, realtimePath } from '@hushryd/contracts/realtime/limits';
import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import type { Role } from '@hushryd/platform/auth/claims';
import { createTokenSigner } from '@hushryd/platform/auth/sign-token';
import { createTickets } from '@hushryd/platform/auth/tickets';
import { createInstanceId } from '@hushryd/platform/lifecycle/instance-id';
import { createLifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { type TestScope, testRedis } from '@hushryd/platform/testing/engines';
import { within } from '@hushryd/platform/testing/wait-for';
import { createAccessPublisher } from '@hushryd/tracking/trip-access/publish-access';
import { WebSocket } from 'ws';
import { readSettings } from '../src/config.ts';
import { startRealtime } from '../src/service.ts';

type FrameOf<Type extends ServerFrame['type']> = Extract<ServerFrame, { type: Type }>;

/** A plain websocket client that keeps every frame it gets. */
export interface TestSocket {
  readonly ws: WebSocket;
  readonly frames: ServerFrame[];
  send(frame: object | string): void;
  /** The next frame of this type that was not asked for yet and fits. */
  next<Type extends ServerFrame['type']>(type: Type, fits?: (frame: FrameOf<Type>) => boolean): Promise<FrameOf<Type>>;
  /** All frames of a type so far. */
  all<Type extends ServerFrame['type']>(type: Type): FrameOf<Type>[];
  readonly closed: Promise<{ code: number; reason: string }>;
}

const withinMs = 10_000;

export function openSocket(
  url: string,
  options: { token?: string; protocols?: string[]; origin?: string } = {},
): Promise<TestSocket> {
  const ws = new WebSocket(url, options.protocols ?? [jsonSubprotocol], {
    headers: {
      ...(options.token !== undefined && { authorization: `Bearer ${options.token}` }),
      ...(options.origin !== undefined && { origin: options.origin }),
    },
  });
  const frames: ServerFrame[] = [];
  const taken = new Set<ServerFrame>();
  const waiting = new Set<() => void>();
  ws.on('message', (data) => {
    frames.push(JSON.parse(String(data)) as ServerFrame);
    for (const look of waiting) look();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    ws.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });

  const socket: TestSocket = {
    ws,
    frames,
    closed,
    send: (frame) => ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    all: (type) => frames.filter((frame) => frame.type === type) as never,
    next: (type, fits = () => true) => {
      const found = new Promise<ServerFrame>((resolve) => {
        const look = () => {
          const frame = frames.find((one) => one.type === type && !taken.has(one) && fits(one as never));
          if (frame === undefined) return;
          waiting.delete(look);
          taken.add(frame);
          resolve(frame);
        };
        waiting.add(look);
        look();
      });
      return within(found, { withinMs, what: `a ${type} frame` }) as never;
    },
  };
  return new Promise((resolve, reject) => {
    ws.once('error', reject);
    ws.once('unexpected-response', (_, response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += String(chunk);
      });
      response.on('end', () => {
        reject(
          Object.assign(new Error(`upgrade refused with ${response.statusCode}`), {
            status: response.statusCode,
            headers: response.headers,
            problem: JSON.parse(text) as { code: string },
          }),
        );
      });
    });
    ws.once('open', () => {
      ws.on('error', () => undefined);
      resolve(socket);
    });
  });
}

/** Keys of a test's own issuer. */
export function createIssuer() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const signer = createTokenSigner({
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    kid: 'test',
    issuer: 'hushryd',
  });
  return {
    ring: JSON.stringify({ test: publicKey.export({ type: 'spki', format: 'pem' }) }),
    token: (userId: string, role: Role, lifetimeMs = 600_000) =>
      signer.sign({ userId, role, audience: role === 'operator' ? 'admin' : 'user', lifetimeMs }),
  };
}

export interface TestRealtime {
  port: number;
  url: string;
  /** Open a socket as somebody and wait for its `ready`. */
  connect(userId: string, role: Role): Promise<TestSocket>;
  connectDriver(userId: string): Promise<{ socket: TestSocket; run: number }>;
  token: ReturnType<typeof createIssuer>['token'];
  issueTicket(userId: string, role: Role, origin: string | undefined): Promise<string>;
  /** Put a trip's record in place, as a command of rides does, with its event. */
  putTrip(access: TripAccess, event?: TripEventName): Promise<void>;
  redis: Awaited<ReturnType<typeof connectRedis>>;
  keys: ReturnType<typeof createKeys>;
  metric(name: string, labels?: Record<string, string>): Promise<number>;
  close(): Promise<boolean>;
}

/** A realtime node in this process, on a Redis prefix of its own. */
export async function startTestRealtime(
  t: TestScope,
  { env = {}, redis }: { env?: Record<string, string>; redis?: { url: string; prefix: string } } = {},
): Promise<TestRealtime> {
  const { url, prefix } = redis ?? (await testRedis(t));
  const issuer = createIssuer();
  const settings = readSettings({
    PORT: '0',
    REDIS_URL: url,
    REDIS_PREFIX: prefix,
    REDIS_PARTITIONS: '4',
    TOKEN_PUBLIC_KEYS: issuer.ring,
    SERVICE_TOKEN: 'service-token-of-this-test-alone-000000',
    INTERNAL_API_URLS: 'http://127.0.0.1:9',
    DRAIN_MS: '200',
    ...env,
  });
  const instanceId = createInstanceId('realtime');
  const log = createLogger({ service: 'realtime', instanceId, level: process.env.TEST_LOG_LEVEL ?? 'silent' });
  const telemetry = createTelemetry({ service: 'realtime', instanceId, withProcessMetrics: false });
  const lifecycle = createLifecycle({ log, timeoutMs: 20_000 });
  t.teardown(() => lifecycle.close('test ended'));
  const { port } = await startRealtime({ settings, instanceId, log, telemetry, lifecycle });

  const own = await connectRedis({ settings: settings.redis, role: 'live', log });
  t.teardown(() => own.close());
  const keys = createKeys(settings.redis);
  const publisher = createAccessPublisher({ redis: own.commands, keys });
  const socketUrl = `ws://127.0.0.1:${port}${realtimePath}`;

  const connect: TestRealtime['connect'] = async (userId, role) => {
    const socket = await openSocket(socketUrl, { token: issuer.token(userId, role) });
    t.teardown(() => socket.ws.terminate());
    await socket.next('ready');
    return socket;
  };

  return {
    port,
    url: socketUrl,
    connect,
    async connectDriver(userId) {
      const socket = await connect(userId, 'driver');
      socket.send({ type: 'hello' });
      const { run } = await socket.next('welcome');
      return { socket, run };
    },
    token: issuer.token,
    async issueTicket(userId, role, origin) {
      const audience = role === 'operator' ? 'admin' : 'user';
      const identity = { userId, role, tokenId: 'test', expiresAtMs: Date.now() + 600_000, audience } as const;
      return (await createTickets({ redis: own.commands, keys }).issue({ identity, origin })).ticket;
    },
    async putTrip(access, name) {
      const at = new Date().toISOString();
      const event = name && { name, tripId: access.tripId, at, version: access.version };
      await publisher.publish({ access, ...(event && { event }) });
    },
    redis: own,
    keys,
    async metric(name, labels = {}) {
      const { values } = (await telemetry.registry.getSingleMetric(name)?.get()) ?? { values: [] };
      const fitting = values.filter((value) =>
        Object.entries(labels).every(([label, wanted]) => value.labels[label] === wanted),
      );
      return fitting.reduce((sum, { value }) => sum + value, 0);
    },
    close: () => lifecycle.close('test'),
  };
}

/** A log that a test can read. */
export function collectLines(): { lines: Record<string, unknown>[]; destination: Writable } {
  const lines: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(chunk, _, done) {
      lines.push(JSON.parse(String(chunk)) as Record<string, unknown>);
      done();
    },
  });
  return { lines, destination };
}

let nextFixMs = Date.now() - 5000;

/** A good fix, a little later and further on than the one before. */
export function fix(seq: number, changes: Record<string, unknown> = {}) {
  nextFixMs = Math.max(nextFixMs + 1, Date.now() - 5000);
  return { seq, recordedAtMs: nextFixMs, lat: 41.15 + seq * 1e-6, lng: -8.61, ...changes };
}

export function trip(tripId: string, changes: Partial<TripAccess> = {}): TripAccess {
  const access: TripAccess = { tripId, version: 1, state: 'active', driverId: 'driver-1', passengerIds: ['rider-1'] };
  return { ...access, startedAtMs: Date.now() - 60_000, ...changes };
}
