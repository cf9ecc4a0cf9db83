import { createLimitInFlight, type LimitInFlight } from '@hushryd/platform/lifecycle/limit-in-flight';
import { createDriverClient, type DriverClient, type FixDrop } from '@hushryd/sdk/driver-client';
import type { FixReading } from '@hushryd/sdk/fixes/reading';
import { createHttpClient } from '@hushryd/sdk/http/http-client';
import { type Backend, createSocket } from './backend.ts';
import { withRetries } from './with-retries.ts';

/** What a phone sent and what became of it. */
export interface PhoneCounts {
  sent: number;
  /** Dropped for good, by reason. */
  readonly drops: Partial<Record<FixDrop['reason'], number>>;
}

/** A driver's phone. */
export interface Phone {
  readonly driverId: string;
  readonly counts: PhoneCounts;
  /** Fixes not yet durable. */
  readonly pendingCount: number;
  /** Resolves once live, however long that takes; rejects when the signal fires before. */
  connect(): Promise<void>;
  send(reading: FixReading, tripId?: string): void;
  setAvailable(isAvailable: boolean): Promise<void>;
  /** Resolves when everyone can read the newest fix, or when the signal fires. */
  whenReceived(signal: AbortSignal): Promise<void>;
  /** Resolves when every fix is durable or dropped; rejects when the signal fires before. */
  whenDurable(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param input.limited bounds the HTTP requests in flight together with those of others
 * @param input.maxKeptFixes bound of its queue
 * @param input.onEnd called when the server ends the connection for good, which it has no reason to
 */
export function createPhone(input: {
  backend: Backend;
  driverId: string;
  signal: AbortSignal;
  limited?: LimitInFlight;
  maxKeptFixes?: number;
  onEnd: (driverId: string, why: string) => void;
}): Phone {
  const { backend, driverId, signal, onEnd, limited = createLimitInFlight(1) } = input;
  const getToken = backend.tokensFor({ userId: driverId, role: 'driver' });
  const http = createHttpClient({ apiUrl: backend.apiUrl, getToken });
  const { apiUrl, realtimeUrl } = backend;
  const keep = input.maxKeptFixes === undefined ? {} : { maxKeptFixes: input.maxKeptFixes };
  const client: DriverClient = createDriverClient({
    apiUrl,
    realtimeUrl,
    getToken,
    auth: 'bearer',
    encoding: 'binary',
    createSocket,
    ...keep,
  });
  const counts: PhoneCounts = { sent: 0, drops: {} };
  let sentSeq = 0;
  let receivedSeq = 0;
  let onReceived: (() => void) | undefined;

  client.on('recv', ({ run, seq }) => {
    if (run === client.run) receivedSeq = seq;
    if (receivedSeq >= sentSeq) onReceived?.();
  });

  client.on('drop', ({ reason }) => {
    counts.drops[reason] = (counts.drops[reason] ?? 0) + 1;
  });
  client.on('state', (state) => {
    if (state.name === 'closed' && state.reason !== 'closed_by_app') onEnd(driverId, state.message ?? state.reason);
  });

  return {
    driverId,
    counts,
    get pendingCount() {
      return client.pendingCount;
    },
    connect: () => Promise.race([client.connect(), rejectOn(signal)]),
    send(reading, tripId) {
      counts.sent += 1;
      sentSeq = client.addFix(reading, tripId === undefined ? {} : { tripId });
    },
    async setAvailable(isAvailable) {
      await limited(() => withRetries({ request: () => http.putAvailability(isAvailable), signal }));
    },
    async whenReceived(until) {
      if (receivedSeq >= sentSeq || until.aborted) return;
      await new Promise<void>((resolve) => {
        onReceived = resolve;
        until.addEventListener('abort', () => resolve(), { once: true });
      });
    },
    whenDurable: (until) => Promise.race([client.whenDurable(), rejectOn(until)]),
    close: () => client.close(),
  };
}

function rejectOn(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
