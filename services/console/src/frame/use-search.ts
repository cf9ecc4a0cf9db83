import type { Trip } from '@hushryd/contracts/trip';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useBackend } from '../data/backend.ts';
import { listVehicles } from '../live-map/list/list-vehicles.ts';
import { type SymbolKind, symbolOf } from '../live-map/vehicles/symbol.ts';

export type SearchResult =
  | { kind: 'driver'; id: string; symbol: SymbolKind }
  | { kind: 'trip'; id: string; trip: Trip };

const typingPauseMs = 150;
const maxOfEach = 8;

const idPattern = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Live vehicles are found in the browser at once, trips by the server when the typing pauses. Of a large fleet the browser has only those
 * in view: a driver elsewhere is found by the whole id.
 */
export function useSearch(text: string): { results: SearchResult[]; error: unknown; isLoading: boolean } {
  const { http, vehicles, scope, clock } = useBackend();
  const wanted = text.trim();
  const asked = useSettled(wanted);
  const trips = useQuery({
    queryKey: ['search', asked],
    queryFn: () => http.listTrips({ q: asked, limit: maxOfEach }),
    enabled: asked !== '',
    placeholderData: (before) => before,
  });
  const elsewhere = useQuery({
    queryKey: ['driver-location', asked],
    queryFn: () => http.getDriverLocation(asked),
    enabled: idPattern.test(asked) && !scope.isWhole && vehicles.get(asked) === undefined,
    retry: false,
  });
  if (wanted === '') return { results: [], error: undefined, isLoading: false };
  const serverNowMs = clock.nowMs();
  const drivers = listVehicles({ vehicles: vehicles.values(), filter: 'all', text: wanted, serverNowMs }).slice(
    0,
    maxOfEach,
  );
  const found = asked === wanted ? elsewhere.data?.location : undefined;
  if (found && !drivers.some(({ driverId }) => driverId === found.driverId)) {
    drivers.unshift({ ...found, recordedAtMs: Date.parse(found.recordedAt) });
  }
  return {
    results: [
      ...drivers.map((position): SearchResult => {
        return { kind: 'driver', id: position.driverId, symbol: symbolOf(position, serverNowMs).kind };
      }),
      ...(trips.data?.trips ?? []).map((trip): SearchResult => ({ kind: 'trip', id: trip.tripId, trip })),
    ],
    error: trips.error,
    isLoading: trips.isLoading || asked !== wanted,
  };
}

function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), typingPauseMs);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
