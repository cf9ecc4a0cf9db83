import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Position } from '@hushryd/contracts/fix';
import type { TrackFix } from '@hushryd/contracts/http/trips';
import { waitFor, within } from '@hushryd/platform/testing/wait-for';
import type { HttpClient } from '@hushryd/sdk/http/http-client';
import { createRiderClient } from '@hushryd/sdk/rider-client';
import { MongoClient } from 'mongodb';
import t from 'tap';
import { drivePlan } from '../src/fleet/drive-plan.ts';
import { type PlannedFix, type PlannedTrip, planReplay } from '../src/replay/plan-replay.ts';
import { readTrips } from '../src/replay/read-trips.ts';
import { recordCityTrips } from './city-trips.ts';
import { checkRoom, followPublished } from './published-positions.ts';
import { startSystem } from './system.ts';

const speed = 100;
const seed = 20_261_123;
// Recorded trips are not part of the repository: REPLAY_RECORDING names a file of them (Porto taxis, 155 trips), kept beside the
// checkout by those who have one. Without it generated trips are replayed.
const recording =
  process.env.REPLAY_RECORDING ??
  fileURLToPath(new URL('../../../../shared/data/porto-taxi-trips.csv', import.meta.url));

const isRecorded = existsSync(recording);
const isFull = process.env.HUSHRYD_FULL === '1';
const allTrips = isRecorded ? await readTrips(recording) : recordCityTrips({ seed, count: 120 });
const trips = isFull ? allTrips : allTrips.slice(0, 40);
t.comment(
  isRecorded ? 'replaying recorded taxi trips' : `no recording at hand: replaying generated trips, seed ${seed}`,
);
// HUSHRYD_FULL=1: all of them, instead of the first forty.
// No interpolation: the recordings have one fix every 15 s.
const plan = planReplay({ trips, speed, intervalMs: 15_000 });
if (isRecorded && isFull) t.strictSame([plan.tripCount, plan.fixCount], [155, 5421]);

const system = await startSystem(t, {
  realtimes: 2,
  env: { MAX_SPEED_KMH: String(350 * speed), MAX_ACCEPTS_PER_SECOND: '5000' },
});
const published = await followPublished(t, system);
const rooms = new Map<string, Room>();
t.teardown(() => {
  for (const room of rooms.values()) room.close();
});

interface Room {
  /** What the passenger heard on the first node, and an operator on the second. */
  passenger: Position[];
  operator: Position[];
  close(): void;
}

const summary = await drivePlan({
  plan,
  backend: {
    apiUrl: system.apis[0]?.url ?? '',
    realtimeUrl: system.realtimes[0]?.url.replace('http', 'ws') ?? '',
    tokensFor:
      ({ userId, role }) =>
      async () =>
        system.token(userId, role),
  },
  passengersOf: (trip) => [passengerOf(trip)],
  // Rooms stay open until the end: the last position may come after the trip has ended.
  onTrip: (trip) => enterRoom(trip),
});
const operator = system.http('operator-test', 'operator');

t.test('every fix is acknowledged durable', async (t) => {
  t.match(summary, {
    tripCount: plan.tripCount,
    sentCount: plan.fixCount,
    durableCount: plan.fixCount,
    drops: {},
    pendingCount: 0,
    failures: [],
  });
});

t.test('the track of each trip is what was driven: order, count, coordinates to 1e-6, times', async (t) => {
  for (const trip of plannedTrips()) {
    const fixes = await readTrack(operator, trip.tripId);
    if (fixes.length !== trip.fixes.length) t.equal(fixes.length, trip.fixes.length, trip.tripId);
    const wrong = trip.fixes.filter((fix, index) => !isSameFix(fix, fixes[index], summary.startedAtMs));
    if (wrong.length > 0) t.strictSame(wrong, [], trip.tripId);
  }
  t.pass(`${plan.tripCount} tracks`);
});

t.test('location_history holds each fix exactly once, duplicates removed', async (t) => {
  const client = new MongoClient(system.mongoUrl);
  t.teardown(() => client.close());
  const stored = client.db(system.database).collection('location_history');
  const fixes = await stored.find({}, { projection: { 'meta.driverId': 1, run: 1, seq: 1 } }).toArray();
  const distinct = new Set(fixes.map((fix) => `${fix.meta.driverId}:${fix.run}:${fix.seq}`));
  t.equal(distinct.size, plan.fixCount);
  t.comment(`${fixes.length - distinct.size} of ${fixes.length} stored twice`);
});

t.test('every member of a room, on every node, received each position that was published, in order', async (t) => {
  for (const trip of plannedTrips()) {
    const room = rooms.get(trip.tripId) as Room;
    const last = trip.fixes.at(-1) as PlannedFix;
    for (const member of ['passenger', 'operator'] as const) {
      await waitFor(() => isSamePlace(last, room[member].at(-1)), {
        withinMs: 10_000,
        what: `the last position of ${trip.tripId} for the ${member}`,
      });
      // Both were subscribed before the first fix was sent, and read as fast as it comes: nothing may be left out for them.
      checkRoom(published, { tripId: trip.tripId, heard: room[member] });
      const invented = room[member].filter((position) => !trip.fixes.some((fix) => isSamePlace(fix, position)));
      if (invented.length > 0) t.strictSame(invented, [], `${member} of ${trip.tripId}`);
    }
    room.close();
  }
  t.strictSame(published.gaps, [], 'all that was published is known');
  const received = [...rooms.values()].reduce((sum, room) => sum + room.passenger.length, 0);
  t.comment(`${received} of ${plan.fixCount} fixes were published, and seen by passengers and operators alike`);
  t.ok(received >= plan.tripCount, 'every room saw its trip move');
});

function plannedTrips(): PlannedTrip[] {
  return plan.drivers.flatMap((driver) => driver.trips);
}

function passengerOf(trip: PlannedTrip): string {
  return `passenger-of-${trip.reference}`.slice(0, 64);
}

/** Resolves when both members are subscribed: from then on they are promised every change. */
async function enterRoom(trip: PlannedTrip): Promise<undefined> {
  const room: Room = { passenger: [], operator: [], close: () => undefined };
  rooms.set(trip.tripId, room);
  const members = [
    { userId: passengerOf(trip), role: 'rider', node: 0, heard: room.passenger },
    { userId: `operator-of-${trip.reference}`.slice(0, 64), role: 'operator', node: 1, heard: room.operator },
  ] as const;
  const clients = members.map(({ userId, role, node }) =>
    createRiderClient(system.connectionOptions(userId, role, node)),
  );
  room.close = () => {
    for (const client of clients) client.close();
  };
  const subscribed = clients.map(
    (client, index) =>
      new Promise<void>((onSubscribed) => {
        client.watchTrip(trip.tripId, { onSubscribed, onPosition: (position) => members[index]?.heard.push(position) });
        client.connect().catch(() => undefined);
      }),
  );
  await within(Promise.all(subscribed), { withinMs: 25_000, what: `the room of ${trip.tripId}` });
}

async function readTrack(http: HttpClient, tripId: string): Promise<TrackFix[]> {
  const fixes: TrackFix[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await http.getTrack(tripId, { limit: 50, ...(cursor !== undefined && { cursor }) });
    fixes.push(...page.fixes);
    if (page.nextCursor === null) return fixes;
    cursor = page.nextCursor;
  }
}

function isSamePlace(planned: PlannedFix, seen: { lat: number; lng: number } | undefined): boolean {
  return seen !== undefined && Math.abs(planned.lat - seen.lat) <= 1e-6 && Math.abs(planned.lng - seen.lng) <= 1e-6;
}

function isSameFix(planned: PlannedFix, fix: TrackFix | undefined, startedAtMs: number): boolean {
  return fix !== undefined && isSamePlace(planned, fix) && Date.parse(fix.recordedAt) === startedAtMs + planned.atMs;
}
