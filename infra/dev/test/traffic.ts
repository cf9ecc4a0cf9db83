import type { Position } from '@hushryd/contracts/fix';
import type { TestScope } from '@hushryd/platform/testing/engines';
import { waitFor, within } from '@hushryd/platform/testing/wait-for';
import { createDriverClient, type DriverClient } from '@hushryd/sdk/driver-client';
import { createRiderClient, type RiderClient } from '@hushryd/sdk/rider-client';
import { createHeard, type Heard, listeningSocket, nameOf } from './heard.ts';
import type { System } from './system.ts';

/**
 * A fix that a phone was given, and how that ended for the phone: `ok` it heard `durable`, `fail` it was told why not, `unknown`
 * neither so far.
 */
export interface SentFix {
  readonly run: number;
  readonly seq: number;
  readonly lat: number;
  readonly lng: number;
  readonly recordedAtMs: number;
  outcome: 'ok' | 'fail' | 'unknown';
}

/** One driver on a trip, and a passenger on the other node who watches. */
export interface Journey {
  readonly driverId: string;
  readonly passengerId: string;
  readonly tripId: string;
  readonly phone: DriverClient;
  readonly rider: RiderClient;
  /** By run and seq, in the order they were given. */
  readonly fixes: Map<string, SentFix>;
  readonly view: View;
  readonly heard: { readonly phone: Heard; readonly rider: Heard };
}

/** The trip as the passenger's app shows it. */
export interface View {
  position: Position | undefined;
  positions: number;
  /** Version of the trip that the newest event told of. */
  version: number;
  /** How often the app was told to read the trip anew, since events may be missing. */
  missed: number;
}

export interface Traffic {
  readonly journeys: readonly Journey[];
  /** Every phone takes a reading now and then, whatever else happens. */
  move(): void;
  /** The first phone takes so many readings at once. */
  burst(count: number): void;
  /**
   * No more readings. Resolves when everybody is connected again, every fix is durable and every rider sees the last one.
   * @throws Error saying for whom that did not come
   */
  settle(withinMs: number): Promise<void>;
  /** How many fixes the phones heard `durable` for. */
  durableCount(): number;
  close(): Promise<void>;
}

const everyMs = 120;
const stepDegrees = 1e-5;

/** Trips under way: phones on one node, riders on the next. */
export async function startTraffic(t: TestScope, system: System, count: number): Promise<Traffic> {
  const operator = system.http('operator', 'operator');
  const journeys = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const ids = { driverId: `driver-${index}`, passengerId: `passenger-${index}`, tripId: `trip-${index}` };
      const origin = { lat: 41 + index / 100, lng: -8.6 };
      const { tripId, driverId, passengerId } = ids;
      await operator.createTrip({ tripId, driverId, passengerIds: [passengerId], origin, destination: origin });
      await operator.startTrip(tripId);
      return openJourney(system, ids, index);
    }),
  );
  let timer: NodeJS.Timeout | undefined;

  const traffic: Traffic = {
    journeys,
    move() {
      timer ??= setInterval(() => {
        for (const [index, journey] of journeys.entries()) takeReading(journey, 41 + index / 100);
      }, everyMs);
    },
    burst(readings) {
      for (let taken = 0; taken < readings; taken += 1) takeReading(journeys[0] as Journey, 41);
    },
    async settle(withinMs) {
      clearInterval(timer);
      timer = undefined;
      const untilMs = performance.now() + withinMs;
      for (const journey of journeys) {
        await waitFor(() => isSettled(journey), {
          withinMs: Math.max(1, untilMs - performance.now()),
          what: `peace on ${journey.tripId} (${describe(journey)})`,
        }).catch((cause: unknown) => {
          throw new Error(`no peace on ${journey.tripId}: ${describe(journey)}`, { cause });
        });
      }
    },
    durableCount: () =>
      journeys.reduce(
        (sum, { fixes }) => sum + [...fixes.values()].filter(({ outcome }) => outcome === 'ok').length,
        0,
      ),
    async close() {
      clearInterval(timer);
      for (const { rider } of journeys) rider.close();
      await Promise.all(journeys.map(({ phone }) => phone.close()));
    },
  };
  t.teardown(traffic.close);
  return traffic;
}

async function openJourney(
  system: System,
  ids: Pick<Journey, 'driverId' | 'passengerId' | 'tripId'>,
  index: number,
): Promise<Journey> {
  const heard = { phone: createHeard(), rider: createHeard() };
  const node = index % system.realtimes.length;
  const otherNode = (index + 1) % system.realtimes.length;
  const phone = createDriverClient({
    ...system.connectionOptions(ids.driverId, 'driver', node),
    createSocket: listeningSocket(heard.phone),
  });
  const rider = createRiderClient({
    ...system.connectionOptions(ids.passengerId, 'rider', otherNode),
    createSocket: listeningSocket(heard.rider),
  });
  const fixes = new Map<string, SentFix>();
  const view: View = { position: undefined, positions: 0, version: 0, missed: 0 };

  const durable = (run: number, seq: number) => {
    for (const fix of fixes.values()) {
      if (fix.run === run && fix.seq <= seq && fix.outcome === 'unknown') fix.outcome = 'ok';
    }
  };
  phone.on('durable', ({ run, seq }) => durable(run, seq));
  phone.on('welcome', ({ run, durableSeq }) => durable(run, durableSeq));
  phone.on('drop', ({ run, seq }) => {
    const fix = fixes.get(nameOf({ run: run ?? 0, seq }));
    if (fix) fix.outcome = 'fail';
  });
  rider.watchTrip(ids.tripId, {
    onPosition(position) {
      view.position = position;
      view.positions += 1;
    },
    onEvent(event) {
      if ('version' in event) view.version = event.version;
    },
    onMissed() {
      view.missed += 1;
    },
  });
  await within(Promise.all([phone.connect(), rider.connect()]), { withinMs: 30_000, what: `${ids.tripId} on line` });
  await waitFor(() => phone.run, { withinMs: 30_000, what: `the run of ${ids.driverId}` });
  return { ...ids, phone, rider, fixes, view, heard };
}

function takeReading({ phone, fixes, tripId }: Journey, fromLat: number): void {
  const { run } = phone;
  if (run === undefined) throw new Error('a phone without a run');
  const reading = { recordedAtMs: Date.now(), lat: fromLat + (fixes.size + 1) * stepDegrees, lng: -8.6 };
  const seq = phone.addFix(reading, { tripId });
  fixes.set(nameOf({ run, seq }), { run, seq, ...reading, outcome: 'unknown' });
}

function isSettled({ phone, rider, fixes, view, heard }: Journey): boolean {
  const last = [...fixes.values()].at(-1);
  const isThere = last === undefined || (view.position?.run === last.run && view.position.seq === last.seq);
  const isConnected = phone.state.name === 'live' && rider.state.name === 'live';
  return isConnected && heard.phone.isLive && heard.rider.isLive && phone.pendingCount === 0 && isThere;
}

function describe({ phone, rider, fixes, view, heard }: Journey): string {
  const last = [...fixes.values()].at(-1);
  return [
    `phone ${phone.state.name}, live data ${heard.phone.isLive}, ${phone.pendingCount} fixes not durable`,
    `rider ${rider.state.name}, live data ${heard.rider.isLive}, at ${view.position && nameOf(view.position)} of ${last && nameOf(last)}`,
  ].join('; ');
}
