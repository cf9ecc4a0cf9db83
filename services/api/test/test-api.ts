import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fix } from '@hushryd/contracts/fix';
import type { Trip } from '@hushryd/contracts/trip';
import { alertsCollection } from '@hushryd/outreach/alerts/alert-document';
import { alertAttemptsCollection } from '@hushryd/outreach/dispatch/alert-attempts';
import { notificationsCollection } from '@hushryd/outreach/notifications/notification-store';
import { preferencesCollection } from '@hushryd/outreach/notifications/preferences-store';
import type { SendOtp } from '@hushryd/outreach/people/codes/send-otp';
import { peopleCollections } from '@hushryd/outreach/people/people-collections';
import { timelineCollection } from '@hushryd/outreach/timeline/timeline-document';
import { webhookEventsCollection } from '@hushryd/outreach/webhooks/webhook-store';
import type { Role } from '@hushryd/platform/auth/claims';
import { createTokenSigner } from '@hushryd/platform/auth/sign-token';
import { createLifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import type { TestScope } from '@hushryd/platform/testing/engines';
import { createTestFieldKeys } from '@hushryd/platform/testing/field-keys';
import { driversCollection } from '@hushryd/rides/people/driver-store';
import { tripsCollection } from '@hushryd/rides/trips/trip-store';
import { declareLocationHistory } from '@hushryd/tracking/history/history-store';
import { declareRoads } from '@hushryd/tracking/history/road-store';
import type { Db } from 'mongodb';
import { readConfig } from '../src/config.ts';
import { startApi } from '../src/start-api.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
export const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const signer = createTokenSigner({ privateKeyPem, kid: 'test', issuer: 'hushryd' });

const fieldKeys = createTestFieldKeys();

export const serviceToken = 'service-token-of-the-tests-0123456789';
export const webOrigin = 'https://app.example';

export const newId = (kind: string): string => `${kind}-${randomBytes(6).toString('hex')}`;

export function tokenOf(role: Role, userId: string): string {
  return signer.sign({ userId, role, audience: role === 'operator' ? 'admin' : 'user', lifetimeMs: 600_000 });
}

/** A genuine token that ran out so long ago. */
export function expiredTokenOf(role: Role, userId: string, agoMs: number, sessionId?: string): string {
  const lifetimeMs = 60_000;
  const past = createTokenSigner({
    privateKeyPem,
    kid: 'test',
    issuer: 'hushryd',
    now: () => Date.now() - agoMs - lifetimeMs,
  });
  const session = sessionId !== undefined && { sessionId };
  return past.sign({ userId, role, audience: role === 'operator' ? 'admin' : 'user', lifetimeMs, ...session });
}

const journals = mkdtempSync(join(tmpdir(), 'hushryd-sos-'));
process.once('exit', () => rmSync(journals, { recursive: true, force: true }));
let journalNumber = 0;

/** The environment of an api on these engines. */
export function environmentOf(engines: {
  redis: { url: string; prefix: string; variables?: Readonly<Record<string, string>> };
  mongo: { url: string; database: string };
}) {
  return {
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    PORT: '0',
    INTERNAL_PORT: '0',
    METRICS_PORT: '0',
    REDIS_URL: engines.redis.url,
    REDIS_PREFIX: engines.redis.prefix,
    ...engines.redis.variables,
    MONGODB_URL: engines.mongo.url,
    MONGODB_DATABASE: engines.mongo.database,
    MONGODB_MIN_POOL_SIZE: '1',
    TOKEN_PUBLIC_KEYS: JSON.stringify({ test: publicKeyPem }),
    SERVICE_TOKEN: serviceToken,
    ...fieldKeys,
    CORS_ORIGINS: webOrigin,
    SOS_JOURNAL_DIR: join(journals, String(journalNumber++)),
  };
}

export type TestEnvironment = ReturnType<typeof environmentOf>;

export async function createCollections(db: Db): Promise<void> {
  await ensureCollections(db, [
    tripsCollection,
    driversCollection,
    alertsCollection,
    timelineCollection,
    alertAttemptsCollection,
    ...peopleCollections,
    declareLocationHistory({ ttlDays: 90 }),
    declareRoads({ ttlDays: 90 }),
    notificationsCollection,
    preferencesCollection,
    webhookEventsCollection,
  ]);
}

export interface Reply<Body = unknown> {
  status: number;
  headers: Headers;
  body: Body;
}

export interface Call {
  as?: { role: Role; userId: string } | undefined;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export interface TestApi {
  url: string;
  internalUrl: string;
  metricsUrl: string;
  /** `call('POST /v1/trips', { as, body })`; a JSON body is parsed. */
  call<Body = Record<string, unknown>>(route: string, call?: Call): Promise<Reply<Body>>;
  close(): Promise<boolean>;
}

/** An api in this process, listening on free ports, ended with the test. */
export async function startTestApi(
  t: TestScope,
  environment: TestEnvironment & Record<string, string>,
  { onLogLine, sendOtp }: { onLogLine?: (line: string) => void; sendOtp?: SendOtp } = {},
): Promise<TestApi> {
  const config = readConfig(environment);
  const instanceId = newId('api');
  const log = createLogger({
    service: 'api',
    instanceId,
    level: config.logLevel,
    ...(onLogLine && { destination: { write: onLogLine } }),
  });
  const lifecycle = createLifecycle({ log, timeoutMs: 10_000 });
  const close = () => lifecycle.close('test ended');
  t.teardown(close);
  const ports = await startApi(config, { log, lifecycle, instanceId, sendOtp });
  const url = `http://127.0.0.1:${ports.port}`;
  return {
    url,
    internalUrl: `http://127.0.0.1:${ports.internalPort}`,
    metricsUrl: `http://127.0.0.1:${ports.metricsPort}/metrics`,
    call: createCall(url),
    close,
  };
}

export function createCall(url: string): TestApi['call'] {
  return async <Body>(route: string, { as, body, headers = {}, signal }: Call = {}) => {
    const [method = 'GET', path = '/'] = route.split(' ');
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(as !== undefined && { authorization: `Bearer ${tokenOf(as.role, as.userId)}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(signal !== undefined && { signal }),
    });
    // A stream has no end to wait for.
    const isStream = response.headers.get('content-type') === 'text/event-stream';
    if (isStream) await response.body?.cancel();
    const text = isStream ? '' : await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson && text !== '' ? JSON.parse(text) : text) as Body,
    };
  };
}

export const operator = { role: 'operator', userId: 'olga' } as const;
export const asDriver = (userId: string) => ({ role: 'driver', userId }) as const;
export const asRider = (userId: string) => ({ role: 'rider', userId }) as const;

export function tripBody(changes: Record<string, unknown> = {}) {
  return {
    driverId: newId('driver'),
    passengerIds: [newId('rider')],
    origin: { lat: 41.1496, lng: -8.611, label: 'Aliados' },
    destination: { lat: 41.2481, lng: -8.6814 },
    ...changes,
  };
}

export const contactBody = { name: 'Asha', phone: '+15555550101', locale: 'en', channels: ['sms'] };

export const onCallBody = (version: number) => ({
  version,
  timeZone: 'Asia/Kolkata',
  people: [{ personId: 'dana', name: 'Dana', phone: '+15555550121', locale: 'en', channels: ['voice'] }],
  levels: [
    { name: 'first', shifts: [{ days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', until: '24:00', personIds: ['dana'] }] },
  ],
});

/** A trip under way. */
export async function startNewTrip(api: TestApi, changes: Record<string, unknown> = {}): Promise<Trip> {
  const { body } = await api.call<Trip>('POST /v1/trips', { as: operator, body: tripBody(changes) });
  return (await api.call<Trip>(`POST /v1/trips/${body.tripId}/start`, { as: operator })).body;
}

export function fixesFrom(seq: number, count: number, changes: Partial<Fix> = {}): Fix[] {
  const nowMs = Date.now();
  return Array.from({ length: count }, (_, index) => ({
    seq: seq + index,
    recordedAtMs: nowMs - (count - 1 - index) * 100,
    lat: 41.15 + (seq + index) * 1e-5,
    lng: -8.61,
    accuracyMeters: 5,
    ...changes,
  }));
}

/** Send fixes as a phone without a websocket does. @returns the run */
export async function drive(
  api: TestApi,
  driverId: string,
  fixes: Fix[],
  { tripId, run }: { tripId?: string; run?: number } = {},
): Promise<number> {
  const as = asDriver(driverId);
  const ofRun = run ?? (await api.call<{ run: number }>('POST /v1/drivers/me/runs', { as, body: {} })).body.run;
  const reply = await api.call('POST /v1/drivers/me/fixes', {
    as,
    body: { run: ofRun, from: fixes[0]?.seq ?? 1, fixes, ...(tripId !== undefined && { tripId }) },
  });
  if (reply.status !== 200) throw new Error(`fixes refused: ${JSON.stringify(reply.body)}`);
  return ofRun;
}
