import type { LatLng, Place } from '@hushryd/contracts/geo';
import { createLimitInFlight, type LimitInFlight } from '@hushryd/platform/lifecycle/limit-in-flight';
import { createHttpClient } from '@hushryd/sdk/http/http-client';
import { HttpProblem } from '@hushryd/sdk/http/http-problem';
import type { Backend } from './backend.ts';
import { forEachLimited } from './sleep-until.ts';
import { withRetries } from './with-retries.ts';

export interface TripOrder {
  readonly tripId: string;
  readonly reference: string;
  readonly driverId: string;
  readonly passengerIds: readonly string[];
  readonly origin: Place;
  readonly destination: Place;
  readonly plannedRoute?: readonly LatLng[];
}

/** The operators' side of the fleet: it makes trips, starts and ends them over the HTTP API. */
export interface TripDesk {
  /** Create the trip and start it. A trip that the driver left open, as when a fleet was killed, is ended first. */
  begin(order: TripOrder): Promise<void>;
  end(tripId: string): Promise<void>;
  /** End what is still open, without waiting longer than this. */
  endAll(withinMs: number): Promise<void>;
}

const maxInFlight = 32;

/**
 * @param input.signal ends every wait between tries
 * @param input.limited bounds the requests in flight; shared with others where they burden the same system
 */
export function createTripDesk(input: { backend: Backend; signal: AbortSignal; limited?: LimitInFlight }): TripDesk {
  const { backend, signal, limited = createLimitInFlight(maxInFlight) } = input;
  const getToken = backend.tokensFor({ userId: 'operator-fleet', role: 'operator' });
  const http = createHttpClient({ apiUrl: backend.apiUrl, getToken });
  const open = new Set<string>();
  const retry = <T>(request: () => Promise<T>) => limited(() => withRetries({ request, signal }));

  const endOpenTripsOf = async (driverId: string) => {
    const { trips } = await retry(() => http.listTrips({ q: driverId, state: 'active', limit: 100 }));
    const own = trips.filter((trip) => trip.driverId === driverId);
    await Promise.all(own.map((trip) => retry(() => http.endTrip(trip.tripId))));
  };

  return {
    async begin(order) {
      const { passengerIds, plannedRoute, ...rest } = order;
      const body = {
        ...rest,
        passengerIds: [...passengerIds],
        ...(plannedRoute && { plannedRoute: [...plannedRoute] }),
      };
      await retry(() => http.createTrip(body));
      try {
        await retry(() => http.startTrip(order.tripId));
      } catch (error) {
        if (!(error instanceof HttpProblem && error.code === 'driver_busy')) throw error;
        await endOpenTripsOf(order.driverId);
        await retry(() => http.startTrip(order.tripId));
      }
      open.add(order.tripId);
    },
    async end(tripId) {
      await retry(() => http.endTrip(tripId));
      open.delete(tripId);
    },
    async endAll(withinMs) {
      const deadlineMs = performance.now() + withinMs;
      const timeout = new Promise<void>((resolve) => setTimeout(resolve, withinMs).unref());
      const ending = forEachLimited([...open], maxInFlight, async (tripId) => {
        // What stays open is ended by the driver's next trip.
        if (performance.now() < deadlineMs) await http.endTrip(tripId);
      });
      await Promise.race([ending.catch(() => undefined), timeout]);
    },
  };
}
