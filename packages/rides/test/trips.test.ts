import { randomBytes } from 'node:crypto';
import type { TripEvent } from '@hushryd/contracts/events/topic-event';
import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import type { CreateTripBody } from '@hushryd/contracts/http/trips';
import { AppError } from '@hushryd/platform/errors/app-error';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { testMongo } from '@hushryd/platform/testing/engines';
import fc from 'fast-check';
import t from 'tap';
import { createDriverStore, driversCollection } from '../src/people/driver-store.ts';
import { setAvailability } from '../src/people/set-availability.ts';
import { createTripAnnouncer } from '../src/trips/announce-trip.ts';
import type { TripWork } from '../src/trips/change-trip.ts';
import { createTrip } from '../src/trips/create-trip.ts';
import { endTrip } from '../src/trips/end-trip.ts';
import { putPassengers } from '../src/trips/put-passengers.ts';
import { searchTrips } from '../src/trips/search-trips.ts';
import { startTrip } from '../src/trips/start-trip.ts';
import type { TripDocument } from '../src/trips/trip-document.ts';
import { createTripStore, tripsCollection } from '../src/trips/trip-store.ts';
import { createUnsteadyStore, mishaps } from './unsteady-store.ts';

const mongo = await testMongo(t);
await ensureCollections(mongo.db, [tripsCollection, driversCollection]);
const store = createTripStore({ db: mongo.db });
const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });

const newId = () => randomBytes(9).toString('base64url');
const allow = () => undefined;
const work: TripWork = { store, announce: async () => undefined };

function order(changes: Partial<CreateTripBody> = {}) {
  const request: CreateTripBody = {
    driverId: `driver-${newId()}`,
    passengerIds: ['anna', 'ben'],
    origin: { lat: 41.1496, lng: -8.611, label: 'Aliados' },
    destination: { lat: 41.2481, lng: -8.6814 },
    ...changes,
  };
  return { request, userId: 'operator-1', region: 'porto' };
}

async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'nothing was refused';
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

t.test('a trip is planned, started and ended, each step a version more', async (t) => {
  const { trip } = await createTrip(
    work,
    order({
      reference: 'R-1',
      plannedRoute: [
        { lat: 1, lng: 2 },
        { lat: 3, lng: 4 },
      ],
    }),
  );
  t.match(trip, { state: 'planned', version: 1, region: 'porto', reference: 'R-1' });

  const started = await startTrip(work, { tripId: trip._id, authorise: allow });
  t.match(started, { state: 'active', version: 2 });

  const joined = await putPassengers(work, { tripId: trip._id, passengerIds: ['cleo'], authorise: allow });
  t.match(joined, { passengerIds: ['cleo'], version: 3 });

  const ended = await endTrip(work, { tripId: trip._id, authorise: allow });
  t.match(ended, { state: 'ended', version: 4, startedAt: started.startedAt });
  t.same(await store.findById(trip._id), ended, 'the store has what the caller was told');
});

t.test('steps that the state does not allow are refused, repeated ones change nothing', async (t) => {
  const { trip } = await createTrip(work, order());
  const step = { tripId: trip._id, authorise: allow };

  t.equal(await refusal(endTrip(work, step)), 'trip_state_conflict');
  const started = await startTrip(work, step);
  t.same(await startTrip(work, step), started);
  const ended = await endTrip(work, step);
  t.same(await endTrip(work, step), ended);
  t.equal(await refusal(startTrip(work, step)), 'trip_state_conflict');
  t.equal(await refusal(putPassengers(work, { ...step, passengerIds: [] })), 'trip_state_conflict');
  t.equal(await refusal(startTrip(work, { tripId: newId(), authorise: allow })), 'not_found');
});

t.test('a driver has one active trip at a time', async (t) => {
  const driverId = `driver-${newId()}`;
  const first = (await createTrip(work, order({ driverId }))).trip;
  const second = (await createTrip(work, order({ driverId }))).trip;

  const outcomes = await Promise.all(
    [first, second].map((trip) => refusal(startTrip(work, { tripId: trip._id, authorise: allow }))),
  );
  t.same(outcomes.toSorted(), ['driver_busy', 'nothing was refused']);

  const busy = outcomes[0] === 'driver_busy' ? first : second;
  await endTrip(work, { tripId: busy === first ? second._id : first._id, authorise: allow });
  t.match(await startTrip(work, { tripId: busy._id, authorise: allow }), { state: 'active' });
});

t.test('the same key or id with the same request is the same trip, with another one an error', async (t) => {
  const keyed = { ...order(), key: newId() };
  const first = await createTrip(work, keyed);
  const again = await createTrip(work, { ...keyed, request: { ...keyed.request } });
  t.ok(first.isNew);
  t.notOk(again.isNew);
  t.same(again.trip, first.trip);
  t.equal(await refusal(createTrip(work, { ...keyed, request: order().request })), 'idempotency_key_reused');

  const other = await createTrip(work, { ...keyed, userId: 'operator-2' });
  t.not(other.trip._id, first.trip._id, 'keys belong to a user');

  const named = order({ tripId: newId() });
  await createTrip(work, named);
  t.notOk((await createTrip(work, named)).isNew);
  t.equal(await refusal(createTrip(work, order({ tripId: named.request.tripId as string }))), 'trip_exists');
});

t.test('any interleaving of repeated creates, starts and ends gives one trip', async (t) => {
  const plan = fc.record({
    commands: fc.array(fc.constantFrom('create', 'start', 'end'), { minLength: 3, maxLength: 8 }),
    mishaps: fc.array(fc.constantFrom(...mishaps), { maxLength: 8 }),
    withKey: fc.boolean(),
  });
  const property = fc.asyncProperty(plan, async ({ commands, mishaps, withKey }) => {
    const tripId = newId();
    const unsteady = createUnsteadyStore(store, mishaps);
    const unsteadyWork: TripWork = { store: unsteady, announce: async () => undefined };
    const request = { ...order({ tripId }), ...(withKey && { key: newId() }) };
    const run = {
      create: async () => (await createTrip(unsteadyWork, request)).trip,
      start: () => startTrip(unsteadyWork, { tripId, authorise: allow }),
      end: () => endTrip(unsteadyWork, { tripId, authorise: allow }),
    };

    const answers = await Promise.all(commands.map((command) => untilAnswered(run[command])));
    await unsteady.settled();

    const stored = await mongo.db
      .collection<TripDocument>('trips')
      .find({ $or: [{ _id: tripId }, { driverId: request.request.driverId }] })
      .toArray();
    if (!commands.includes('create')) return stored.length === 0;
    const [trip] = stored;
    if (stored.length !== 1 || trip === undefined) return false;
    const steps = 1 + Number(trip.startedAt !== undefined) + Number(trip.endedAt !== undefined);
    return trip.version === steps && answers.every((answer) => answer === undefined || agrees(answer, trip));
  });

  const seed = Date.now() % 2 ** 31;
  t.comment(`fast-check seed ${seed}`);
  // A case is several transactions, tens of milliseconds: hence not the usual 1,000.
  const result = await fc.check(property, { seed, numRuns: 300 });
  t.notOk(
    result.failed,
    `seed ${result.seed}: ${JSON.stringify(result.counterexample)} ${String(result.errorInstance ?? '')}`,
  );
});

/** As a client does: again while the outcome is unknown; undefined where the trip's state refuses it. */
async function untilAnswered(command: () => Promise<TripDocument>): Promise<TripDocument | undefined> {
  for (;;) {
    try {
      return await command();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (error.code === 'database_unavailable') continue;
      return undefined;
    }
  }
}

/** An answer is the trip as it was at that version: what it says has not been taken back. */
function agrees(answer: TripDocument, stored: TripDocument): boolean {
  const kept = (at: Date | undefined, now: Date | undefined) => at === undefined || at.getTime() === now?.getTime();
  return (
    answer._id === stored._id &&
    answer.version <= stored.version &&
    kept(answer.startedAt, stored.startedAt) &&
    kept(answer.endedAt, stored.endedAt)
  );
}

t.test('concurrent lists of passengers end as one of them, and no version is given twice', async (t) => {
  const { trip } = await createTrip(work, order());
  const answers = await Promise.all(
    [['a'], ['b'], ['c']].map((passengerIds) =>
      putPassengers(work, { tripId: trip._id, passengerIds, authorise: allow }),
    ),
  );
  t.same(answers.map(({ version }) => version).toSorted(), [2, 3, 4]);
  const stored = await store.findById(trip._id);
  t.same(
    stored,
    answers.find(({ version }) => version === 4),
  );
});

t.test('each version is announced after it is written; a failed announcement fails nothing', async (t) => {
  const heard: { access: TripAccess; event?: TripEvent }[] = [];
  const cleared: unknown[] = [];
  const listening: TripWork = {
    store,
    announce: createTripAnnouncer({
      log,
      publisher: {
        async publish(change) {
          const stored = await store.findById(change.access.tripId);
          t.equal(stored?.version, change.access.version, 'written first');
          heard.push(change);
        },
      },
      driverStates: { clearTrip: async (ended) => cleared.push(ended) },
    }),
  };
  const { trip } = await createTrip(listening, order());
  await startTrip(listening, { tripId: trip._id, authorise: allow });
  await endTrip(listening, { tripId: trip._id, authorise: allow });

  t.same(
    heard.map(({ access, event }) => [access.version, access.state, event?.name, event?.version]),
    [
      [1, 'planned', 'trip.created', 1],
      [2, 'active', 'trip.started', 2],
      [3, 'ended', 'trip.ended', 3],
    ],
  );
  t.same(cleared, [{ driverId: trip.driverId, tripId: trip._id }]);

  const deaf: TripWork = {
    store,
    announce: createTripAnnouncer({
      log,
      publisher: { publish: () => Promise.reject(new AppError('redis_unavailable')) },
      driverStates: { clearTrip: () => Promise.reject(new AppError('redis_unavailable')) },
    }),
  };
  const unheard = await createTrip(deaf, order());
  await startTrip(deaf, { tripId: unheard.trip._id, authorise: allow });
  t.match(await endTrip(deaf, { tripId: unheard.trip._id, authorise: allow }), { state: 'ended' });
});

t.test('staff find trips by prefix, newest first, page by page', async (t) => {
  const mark = newId();
  const createdAt = Date.now();
  const made: string[] = [];
  for (let index = 0; index < 7; index += 1) {
    // Two trips a millisecond, so that the id has to settle ties.
    const at: TripWork = { ...work, now: () => createdAt + Math.floor(index / 2) };
    made.push((await createTrip(at, order({ reference: `${mark}-${index}` }))).trip._id);
  }

  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await searchTrips(store, { q: mark, limit: 3, cursor });
    seen.push(...page.trips.map(({ _id }) => _id));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  t.equal(seen.length, 7);
  t.same(seen.toSorted(), made.toSorted(), 'each once');
  t.equal(seen[0], made[6]);

  const started = await startTrip(work, { tripId: made[3] as string, authorise: allow });
  const found = async (search: { q: string; state?: 'active' }) =>
    (await searchTrips(store, { ...search, limit: 10 })).trips.map(({ _id }) => _id);
  t.same(await found({ q: mark, state: 'active' }), [started._id]);
  t.same(await found({ q: started._id.slice(0, 8) }), [started._id]);
  t.same(await found({ q: started.driverId }), [started._id]);
  t.same(await found({ q: '.*' }), [], 'nothing in a search is a pattern');
  for (const broken of ['x', 'AAAA', Buffer.from('1.$ne').toString('base64url')]) {
    t.equal(await refusal(searchTrips(store, { limit: 3, cursor: broken })), 'cursor_invalid');
  }
});

t.test('the worker pages through what changed and what is under way', async (t) => {
  const sinceMs = Date.now();
  const made: string[] = [];
  for (let index = 0; index < 5; index += 1) made.push((await createTrip(work, order())).trip._id);
  const active = made.slice(0, 3).toSorted();
  for (const tripId of active) await startTrip(work, { tripId, authorise: allow });

  async function collect(
    read: (cursor: string | undefined) => Promise<{ tripIds: string[]; nextCursor: string | null }>,
  ): Promise<string[]> {
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await read(cursor);
      ids.push(...page.tripIds);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    return ids.filter((id) => made.includes(id));
  }
  const changed = await collect(async (cursor) => {
    const { changes, nextCursor } = await store.changedSince({ sinceMs, cursor, limit: 2 });
    for (const { access, event } of changes) {
      const name = active.includes(access.tripId) ? 'trip.started' : 'trip.created';
      t.match(event, { name, tripId: access.tripId, version: access.version });
    }
    return { tripIds: changes.map(({ access }) => access.tripId), nextCursor };
  });
  t.same(changed, made.toSorted());
  const underWay = await collect(async (cursor) => {
    const { changes, nextCursor } = await store.activeTrips({ cursor, limit: 2 });
    return { tripIds: changes.map(({ access }) => access.tripId), nextCursor };
  });
  t.same(underWay, active);
  t.same((await store.tripAccessByIds([...active, 'nobody'])).map(({ tripId }) => tripId).toSorted(), active);
});

t.test('availability rises by version, also when declared at once, and survives a deaf tracking', async (t) => {
  const drivers = createDriverStore({ db: mongo.db, region: 'porto' });
  const told: { available: boolean; version: number }[] = [];
  const tell = {
    store: drivers,
    log,
    driverStates: { set: async (declared: (typeof told)[number]) => told.push(declared) },
  };
  const driverId = `driver-${newId()}`;
  const sinceMs = Date.now();

  const answers = await Promise.all(
    [true, true, true].map((available) => setAvailability(tell, { driverId, available })),
  );
  const versions = answers.map(({ version }) => version);
  const newest = Math.max(...versions);
  t.equal(new Set(versions).size, 3, 'no version is given twice');
  t.same(told.map(({ version }) => version).toSorted(), versions.toSorted());
  t.same(
    (await drivers.availableDrivers()).drivers.filter((driver) => driver.driverId === driverId),
    [{ driverId, available: true, version: newest }],
  );

  const deaf = { ...tell, driverStates: { set: () => Promise.reject(new AppError('redis_unavailable')) } };
  t.match(await setAvailability(deaf, { driverId, available: false }), { available: false, version: newest + 1 });
  t.same((await drivers.driversChangedSince({ sinceMs })).drivers, [
    { driverId, available: false, version: newest + 1 },
  ]);
  t.same((await drivers.availableDrivers()).drivers, []);
});
