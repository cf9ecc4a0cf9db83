import type { Position } from '@hushryd/contracts/fix';
import type { Trip } from '@hushryd/contracts/trip';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useState } from 'react';
import { type Backend, useBackend } from '../../data/backend.ts';
import type { Selection } from '../../routing/view.ts';

/** A trip that could not be read is asked for again by itself. */
const healMs = 10_000;

/** The selected vehicle and trip, as far as they are known. */
export interface Selected {
  driverId: string | undefined;
  tripId: string | undefined;
  /** The vehicle's newest position; undefined while it is not on the map. */
  position: Position | undefined;
  trip: Trip | undefined;
  tripError: unknown;
  isTripLoading: boolean;
  retryTrip: () => void;
}

/**
 * A selected driver brings the trip that is being driven, a selected trip its driver. What is selected is watched on its own topic too:
 * its fixes come at once instead of once a second, and what happens to the trip is heard.
 */
export function useSelected(selection: Selection | undefined): Selected {
  const backend = useBackend();
  const position = useSelectedPosition(backend, selection);
  const tripId = selection?.kind === 'trip' ? selection.id : position?.tripId;
  const trip = useQuery({
    queryKey: ['trip', tripId],
    queryFn: () => backend.http.getTrip(tripId ?? ''),
    enabled: tripId !== undefined,
    refetchInterval: ({ state }) => (state.status === 'error' ? healMs : false),
  });
  const driverId = selection?.kind === 'driver' ? selection.id : (position?.driverId ?? trip.data?.driverId);
  usePin(backend, driverId);
  useWatch(backend, { tripId, driverId });
  return {
    driverId,
    tripId,
    position,
    trip: trip.data,
    tripError: trip.error,
    isTripLoading: trip.isLoading,
    retryTrip: () => void trip.refetch(),
  };
}

function useSelectedPosition(backend: Backend, selection: Selection | undefined): Position | undefined {
  const { vehicles } = backend;
  const kind = selection?.kind;
  const id = selection?.id;
  const read = useCallback(() => {
    if (id === undefined) return undefined;
    return (kind === 'driver' ? vehicles.get(id) : vehicles.findByTrip(id))?.position;
  }, [vehicles, kind, id]);
  const [position, setPosition] = useState(read);
  useEffect(() => {
    setPosition(read());
    return vehicles.subscribe(() => setPosition(read()));
  }, [vehicles, read]);
  return position;
}

/** What is selected stays on the map, also outside of what the map is asked for. */
function usePin({ vehicles }: Backend, driverId: string | undefined): void {
  useEffect(() => vehicles.pin(driverId), [vehicles, driverId]);
  useEffect(() => () => vehicles.pin(undefined), [vehicles]);
}

function useWatch(
  backend: Backend,
  { tripId, driverId }: { tripId: string | undefined; driverId: string | undefined },
): void {
  const queries = useQueryClient();
  useEffect(() => {
    if (tripId === undefined && driverId === undefined) return undefined;
    const onPosition = (position: Position) => backend.vehicles.movePinned(position);
    const onGone = () => backend.vehicles.movePinned(undefined);
    const renew = () => void queries.invalidateQueries({ queryKey: ['trip', tripId] });
    const watch =
      tripId === undefined
        ? backend.realtime.watchDriver(driverId ?? '', { onPosition, onGone })
        : backend.realtime.watchTrip(tripId, { onPosition, onGone, onEvent: renew, onMissed: renew });
    return () => watch.close();
  }, [backend, queries, tripId, driverId]);
}
