import type { Position } from '@hushryd/contracts/fix';
import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import type { Identity } from '@hushryd/platform/auth/claims';
import { AppError } from '@hushryd/platform/errors/app-error';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import type { AccessCache } from '@hushryd/tracking/trip-access/access-cache';
import t from 'tap';
import { etagOf } from '../location-reply.ts';
import { createGetLocation } from './get-location.ts';
import { createPositionWaiters } from './position-waiters.ts';

const trip: TripAccess = {
  tripId: 'trip',
  version: 2,
  state: 'active',
  driverId: 'dora',
  passengerIds: [],
  startedAtMs: 1,
};
const identity: Identity = {
  userId: 'olga',
  role: 'operator',
  tokenId: 't',
  issuedAtMs: 1,
  expiresAtMs: 1e15,
  audience: 'admin',
};
const at = (seq: number): Position => ({
  driverId: 'dora',
  tripId: 'trip',
  state: 'on_trip',
  run: 1,
  seq,
  recordedAtMs: 1,
  lat: 0,
  lng: 0,
});

/** Everything around getLocation, under the test's hand. */
function createStage() {
  const listeners = new Set<(driverId: string, position: Position | undefined) => void>();
  const stage = {
    known: trip as TripAccess | undefined,
    isSignedOut: false,
    reads: [] as (Position | null)[],
    readCount: 0,
    move: () => {
      for (const listener of listeners) listener('dora', undefined);
    },
    waiters: createPositionWaiters({
      livePositions: {
        onChange(listener) {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
      maxWaiters: 10,
      telemetry: createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false }),
    }),
  };
  const access: Pick<AccessCache, 'peek' | 'load'> = {
    peek: () => stage.known,
    load: async () => stage.known ?? null,
  };
  const getLocation = createGetLocation({
    access: access as AccessCache,
    positions: {
      async read() {
        stage.readCount += 1;
        return (stage.reads.length > 1 ? stage.reads.shift() : stage.reads[0]) ?? null;
      },
      readMany: async () => new Map(),
    },
    revocations: {
      assertValid() {
        if (stage.isSignedOut) throw new AppError('token_revoked');
      },
    },
    waiters: stage.waiters,
  });
  const ask = (waitMs: number, ifNoneMatch?: string) =>
    getLocation({ identity, tripId: 'trip', ifNoneMatch, waitMs, signal: () => new AbortController().signal });
  return { ...stage, stage, ask };
}

t.test('a change between the look and the waiting is not missed', async (t) => {
  const { stage, ask } = createStage();
  stage.reads = [at(1), at(2)];

  const answer = await ask(5_000, etagOf(at(1)));

  t.match(answer, { isUnchanged: false, position: { seq: 2 } });
});

t.test('a change that leaves the position as it is keeps the caller waiting', async (t) => {
  const { stage, ask, move } = createStage();
  stage.reads = [at(1)];
  const waiting = ask(5_000, etagOf(at(1)));
  await until(() => stage.readCount === 2);
  move();
  await until(() => stage.readCount >= 3);
  stage.reads = [at(2)];
  move();

  t.match(await waiting, { position: { seq: 2 } });
});

t.test('who loses the right to watch while waiting is refused with the next change', async (t) => {
  const { stage, ask, move } = createStage();
  stage.reads = [at(1)];
  const waiting = ask(5_000, etagOf(at(1)));
  await until(() => stage.readCount === 2);
  stage.known = undefined;
  move();

  await t.rejects(waiting, { code: 'not_found' });
});

t.test('who signs out while waiting is refused with the next change', async (t) => {
  const { stage, ask, move } = createStage();
  stage.reads = [at(1)];
  const waiting = ask(5_000, etagOf(at(1)));
  await until(() => stage.readCount === 2);
  stage.isSignedOut = true;
  stage.reads = [at(2)];
  move();

  await t.rejects(waiting, { code: 'token_revoked' });
  t.equal(stage.readCount, 2, 'and nothing is read for them');
});

t.test('a driver who is not on this trip, or has no position, is not shown', async (t) => {
  for (const position of [null, { ...at(1), tripId: 'another' }, withoutTrip(at(1))]) {
    const { stage, ask } = createStage();
    stage.reads = [position];
    t.match(await ask(0), { position: null, etag: 'W/"none"' });
  }
});

t.test('a trip that is not under way shows nobody, and Redis is not asked', async (t) => {
  for (const state of ['planned', 'ended'] as const) {
    const { stage, ask } = createStage();
    stage.known = { ...trip, state };
    stage.reads = [at(1)];
    t.match(await ask(0), { position: null });
    t.equal(stage.readCount, 0);
  }
});

function withoutTrip({ tripId: _, ...position }: Position): Position {
  return position;
}

async function until(check: () => boolean): Promise<void> {
  while (!check()) await new Promise((resolve) => setImmediate(resolve));
}
