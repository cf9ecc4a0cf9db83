import { generateKeyPairSync } from 'node:crypto';
import { Writable } from 'node:stream';
import type { TripEventName } from '@hushryd/contracts/events/topic-event';
import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import { createRoomNumbers } from '@hushryd/contracts/realtime/binary/room-numbers';
import { jsonSubprotocol, realtimePath } from '@hushryd/contracts/realtime/limits';
import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import type { Role } from '@hushryd/platform/auth/claims';
import { createTokenSigner } from '@hushryd/platform/auth/sign-token';
import { createTickets } from '@hushryd/platform/auth/tickets';
import type { RedisSettings } from '@hushryd/platform/config/shared-environment';
import { createInstanceId } from '@hushryd/platform/lifecycle/instance-id';
import { createLifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { markFilled } from '@hushryd/platform/redis/layout';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { type TestScope, testRedis } from '@hushryd/platform/testing/engines';
import { within } from '@hushryd/platform/testing/wait-for';
import { decodeEntry, type StreamedGroup } from '@hushryd/tracking/history/packed-fixes';
import { createAccessPublisher } from '@hushryd/tracking/trip-access/publish-access';
import { type RawData, WebSocket } from 'ws';
import { readConfig } from '../src/config.ts';
import type { Subprotocol } from '../src/connections/choose-subprotocol.ts';
import type { FanoutGuards } from '../src/fanout/fanout.ts';
import { startRealtime } from '../src/service.ts';

type FrameOf<Type extends ServerFrame['type']> = Extract<ServerFrame, { type: Type }>;

/** A plain websocket client that keeps every frame it gets; binary ones as the JSON that they stand for. */
export interface TestSocket {
  readonly ws: WebSocket;
  readonly frames: ServerFrame[];
  /** How many of them were binary. */
  binaryCount: number;
  /** Text, an object as its JSON, or bytes. */
  send(frame: object | string | Uint8Array): void;
  /** The next frame of this type that was not asked for yet and fits. */
  next<Type extends ServerFrame['type']>(type: Type, fits?: (frame: FrameOf<Type>) => boolean): Promise<FrameOf<Type>>;
  /** All frames of a type so far. */
  all<Type extends ServerFrame['type']>(type: Type): FrameOf<Type>[];
  /** How the socket ended, or will end shortly. */
  ended(): Promise<{ code: number; reason: string }>;
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
  const untaken = new Map<string, ServerFrame[]>();
  const waiting = new Set<(frame: ServerFrame) => boolean>();
  const rooms = createRoomNumbers();
  const read = (data: RawData, isBinary: boolean): ServerFrame | undefined => {
    if (isBinary) return rooms.read(data as Buffer);
    const frame = JSON.parse(String(data)) as ServerFrame;
    rooms.note(frame);
    return frame;
  };
  ws.on('message', (data, isBinary) => {
    const frame = read(data, isBinary);
    if (frame === undefined) throw new Error('a binary frame that is none, or of a room that nobody named');
    frames.push(frame);
    if (isBinary) socket.binaryCount += 1;
    for (const offer of waiting) {
      if (!offer(frame)) continue;
      waiting.delete(offer);
      return;
    }
    const ofType = untaken.get(frame.type);
    if (ofType === undefined) untaken.set(frame.type, [frame]);
    else ofType.push(frame);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    ws.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });

  const socket: TestSocket = {
    ws,
    frames,
    binaryCount: 0,
    ended: () => within(closed, { withinMs, what: 'the end of the socket' }),
    send: (frame) => ws.send(typeof frame === 'string' || frame instanceof Uint8Array ? frame : JSON.stringify(frame)),
    all: (type) => frames.filter((frame) => frame.type === type) as never,
    next: (type, fits = () => true) => {
      const ofType = untaken.get(type) ?? [];
      const index = ofType.findIndex((frame) => fits(frame as never));
      if (index >= 0) return Promise.resolve(ofType.splice(index, 1)[0]) as never;
      const found = new Promise<ServerFrame>((resolve) => {
        waiting.add((frame) => {
          const isIt = frame.type === type && fits(frame as never);
          if (isIt) resolve(frame);
          return isIt;
        });
      });
      return within(found, { withinMs, what: `a ${type} frame` }).catch((error: unknown) => {
        const last = frames.slice(-3).map((frame) => JSON.stringify(frame).slice(0, 200));
        throw new Error(`${(error as Error).message}; last frames: ${last.join(' ')}`, { cause: error });
      }) as never;
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

interface SessionToken {
  userId: string;
  role: Role;
  sessionId: string;
  lifetimeMs?: number;
}

/** Keys of a test's own issuer. */
export function createIssuer() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const signer = createTokenSigner({
    privateKeyPem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    kid: 'test',
    issuer: 'hushryd',
  });
  return {
    ring: JSON.stringify({ test: publicKey.export({ type: 'spki', format: 'pem' }) }),
    privateKeyPem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    publicKeyPem: String(publicKey.export({ type: 'spki', format: 'pem' })),
    token: (userId: string, role: Role, lifetimeMs = 600_000) =>
      signer.sign({ userId, role, audience: role === 'operator' ? 'admin' : 'user', lifetimeMs }),
    /** One of a session's tokens. */
    sessionToken: ({ userId, role, sessionId, lifetimeMs = 600_000 }: SessionToken) =>
      signer.sign({ userId, role, audience: role === 'operator' ? 'admin' : 'user', lifetimeMs, sessionId }),
  };
}

/** Two nodes that share one see the same drivers and trips. */
export interface RedisServer {
  url: string;
  prefix: string;
  /** By which a service finds it, where the address alone does not do. */
  variables?: Readonly<Record<string, string>>;
}

export interface TestRealtime {
  server: RedisServer;
  port: number;
  url: string;
  /** Open a socket as somebody and wait for its `ready`. */
  connect(userId: string, role: Role, protocol?: Subprotocol): Promise<TestSocket>;
  connectDriver(userId: string, protocol?: Subprotocol): Promise<{ socket: TestSocket; run: number }>;
  issuer: ReturnType<typeof createIssuer>;
  issueTicket(userId: string, role: Role, origin: string | undefined): Promise<string>;
  /** Put a trip's record in place, as a command of rides does, with its event. */
  putTrip(access: TripAccess, event?: TripEventName): Promise<void>;
  /** The same, but its event is not heard of on the feed: it is in the topic's log alone. */
  putTripUnheard(access: TripAccess, event: TripEventName): Promise<void>;
  redis: Awaited<ReturnType<typeof connectRedis>>;
  keys: ReturnType<typeof createKeys>;
  /** All that the node stored of fixes: positions, and fixes on their way to history. */
  stored(): Promise<{ positions: number; fixes: StreamedGroup['fixes'] }>;
  metric(name: string, labels?: Record<string, string>): Promise<number>;
  close(): Promise<boolean>;
}

/** Say, in place of a worker, that this Redis holds all that MongoDB knows: then nobody is asked whose tokens were revoked. */
export async function fillRedis(settings: RedisSettings): Promise<void> {
  const own = await connectRedis({
    settings,
    role: 'live',
    log: createLogger({ service: 'test', instanceId: 'test', level: 'silent' }),
  });
  await markFilled({ redis: own.commands, keys: createKeys(settings) });
  await own.close();
}

/** A realtime node in this process, on a Redis prefix of its own. */
export async function startTestRealtime(
  t: TestScope,
  {
    env = {},
    redis,
    issuer = createIssuer(),
    guards,
    isFilled = true,
    onLogLine,
  }: {
    env?: Record<string, string>;
    redis?: RedisServer;
    issuer?: ReturnType<typeof createIssuer>;
    guards?: FanoutGuards;
    /** A worker has put into Redis what MongoDB knows. */
    isFilled?: boolean;
    onLogLine?: (line: string) => void;
  } = {},
): Promise<TestRealtime> {
  const server = redis ?? (await testRedis(t));
  const config = readConfig({
    PORT: '0',
    REDIS_URL: server.url,
    REDIS_PREFIX: server.prefix,
    ...server.variables,
    REDIS_PARTITIONS: '4',
    TOKEN_PUBLIC_KEYS: issuer.ring,
    SERVICE_TOKEN: 'service-token-of-this-test-alone-000000',
    INTERNAL_API_URLS: 'http://127.0.0.1:9',
    DRAIN_MS: '200',
    // Tests gather their crowds at once.
    MAX_ACCEPTS_PER_SECOND: '20000',
    ...env,
  });
  const instanceId = createInstanceId('realtime');
  const log = createLogger({
    service: 'realtime',
    instanceId,
    level: onLogLine ? 'info' : (process.env.TEST_LOG_LEVEL ?? 'silent'),
    ...(onLogLine && { destination: { write: onLogLine } }),
  });
  const telemetry = createTelemetry({ service: 'realtime', instanceId, withProcessMetrics: false });
  const lifecycle = createLifecycle({ log, timeoutMs: 20_000 });
  t.teardown(() => lifecycle.close('test ended'));
  if (isFilled) await fillRedis(config.redis);
  const { port } = await startRealtime({ config, instanceId, log, telemetry, lifecycle, ...(guards && { guards }) });

  const own = await connectRedis({ settings: config.redis, role: 'live', log });
  t.teardown(() => own.close());
  const keys = createKeys(config.redis);
  const publisher = createAccessPublisher({ redis: own.commands, keys });
  const socketUrl = `ws://127.0.0.1:${port}${realtimePath}`;

  const connect: TestRealtime['connect'] = async (userId, role, protocol = jsonSubprotocol) => {
    const socket = await openSocket(socketUrl, { token: issuer.token(userId, role), protocols: [protocol] });
    t.teardown(() => socket.ws.terminate());
    await socket.next('ready');
    return socket;
  };

  return {
    server,
    port,
    url: socketUrl,
    connect,
    async connectDriver(userId, protocol) {
      const socket = await connect(userId, 'driver', protocol);
      socket.send({ type: 'hello' });
      const { run } = await socket.next('welcome');
      return { socket, run };
    },
    issuer,
    async issueTicket(userId, role, origin) {
      const audience = role === 'operator' ? 'admin' : 'user';
      const identity = {
        userId,
        role,
        tokenId: 'test',
        issuedAtMs: Date.now(),
        expiresAtMs: Date.now() + 600_000,
        audience,
      } as const;
      return (await createTickets({ redis: own.commands, keys }).issue({ identity, origin })).ticket;
    },
    async putTrip(access, name) {
      await publisher.publish({ access, ...(name && { event: toEvent(access, name) }) });
    },
    async putTripUnheard(access, name) {
      const elsewhere = { ...keys, eventFeed: (partition: number) => `${keys.eventFeed(partition)}:elsewhere` };
      const unheard = createAccessPublisher({ redis: own.commands, keys: elsewhere });
      await unheard.publish({ access, event: toEvent(access, name) });
    },
    redis: own,
    keys,
    async stored() {
      let positions = 0;
      const fixes: StreamedGroup['fixes'] = [];
      for (let p = 0; p < keys.partitions; p += 1) {
        positions += await own.commands.hlen(keys.positions(p));
        const entries = await own.commands.xrangeBuffer(keys.fixes(p), '-', '+');
        for (const [, [, batch]] of entries) {
          for (const group of decodeEntry(batch as Buffer)) fixes.push(...group.fixes);
        }
      }
      return { positions, fixes };
    },
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

const toEvent = ({ tripId, version }: TripAccess, name: TripEventName) => ({
  name,
  tripId,
  at: new Date().toISOString(),
  version,
});

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
