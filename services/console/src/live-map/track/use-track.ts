import type { TrackFix } from '@hushryd/contracts/http/trips';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { useBackend } from '../../data/backend.ts';
import { fetchTrack, type WholeTrack } from './fetch-track.ts';
import { mergeFixes, toTrackFix } from './merge-fixes.ts';
import { shapeTrack, type TrackShape } from './track-shape.ts';

export interface Track {
  /** Without the stored fixes (`error`, and `stored` is missing) only what arrived since the trip was selected. */
  shape: TrackShape | undefined;
  stored: WholeTrack | undefined;
  error: unknown;
  isLoading: boolean;
  retry: () => void;
}

/** Stored fixes are read again this often while the trip runs; between, live ones are put on. */
const renewMs = 60_000;
/** What failed is asked for again by itself; an operator has other things to do. */
const healMs = 10_000;
const maxLiveFixes = 2_000;
const noFixes: readonly TrackFix[] = [];

/** The track of a trip: what is stored, and for a running trip whatever arrived since. */
export function useTrack(tripId: string | undefined, isRunning: boolean): Track {
  const { http } = useBackend();
  const query = useQuery({
    queryKey: ['track', tripId],
    queryFn: () => fetchTrack(http, tripId ?? ''),
    enabled: tripId !== undefined,
    staleTime: renewMs / 2,
    refetchInterval: ({ state }) => {
      if (state.status === 'error') return healMs;
      return isRunning ? renewMs : false;
    },
  });
  const live = useLiveFixes(tripId);
  const stored = query.data;
  const shape = useMemo(() => {
    if (stored !== undefined) return shapeTrack(mergeFixes(stored.fixes, live));
    return query.isError && live.length > 0 ? shapeTrack(live) : undefined;
  }, [stored, live, query.isError]);
  return { shape, stored, error: query.error, isLoading: query.isLoading, retry: () => void query.refetch() };
}

/** Fixes of a trip as they arrive; the oldest are let go, the stored track has them by then. */
function useLiveFixes(tripId: string | undefined): readonly TrackFix[] {
  const { vehicles } = useBackend();
  const [live, setLive] = useState<{ tripId: string | undefined; fixes: readonly TrackFix[] }>({
    tripId,
    fixes: noFixes,
  });
  useEffect(() => {
    if (tripId === undefined) return undefined;
    return vehicles.subscribe((changed) => {
      const fixes = changed.filter((position) => position.tripId === tripId).map(toTrackFix);
      if (fixes.length === 0) return;
      setLive((before) => ({
        tripId,
        fixes: [...(before.tripId === tripId ? before.fixes : noFixes), ...fixes].slice(-maxLiveFixes),
      }));
    });
  }, [tripId, vehicles]);
  return live.tripId === tripId ? live.fixes : noFixes;
}
