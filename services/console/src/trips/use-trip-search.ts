import type { Trip, TripState } from '@hushryd/contracts/trip';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useBackend } from '../data/backend.ts';

export interface TripSearch {
  trips: Trip[];
  error: unknown;
  isLoading: boolean;
  isLoadingMore: boolean;
  hasMore: boolean;
  /** As many pages as this room keeps; a search finds what lies further back. */
  isFull: boolean;
  loadMore: () => void;
  retry: () => void;
}

const pageSize = 100;
/** 5,000 trips; nobody scrolls farther, and memory stays bounded. */
const maxPages = 50;
const renewMs = 10_000;

/** Trips that fit, newest first. The first page is looked at again every ten seconds while nobody has scrolled on. */
export function useTripSearch({
  query,
  state,
}: {
  query: string | undefined;
  state: TripState | undefined;
}): TripSearch {
  const { http } = useBackend();
  const found = useInfiniteQuery({
    queryKey: ['trips', query ?? '', state ?? ''],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) =>
      http.listTrips({
        limit: pageSize,
        ...(query ? { q: query } : {}),
        ...(state ? { state } : {}),
        ...(pageParam === undefined ? {} : { cursor: pageParam }),
      }),
    getNextPageParam: (last) => last.nextCursor ?? undefined,
    placeholderData: (before) => before,
    refetchInterval: ({ state: current }) => ((current.data?.pages.length ?? 0) <= 1 ? renewMs : false),
  });
  const pages = found.data?.pages ?? [];
  const isFull = pages.length >= maxPages;
  return {
    trips: pages.flatMap(({ trips }) => trips),
    error: found.error,
    isLoading: found.isLoading,
    isLoadingMore: found.isFetchingNextPage,
    hasMore: found.hasNextPage && !isFull,
    isFull,
    loadMore: () => void found.fetchNextPage(),
    retry: () => void found.refetch(),
  };
}
