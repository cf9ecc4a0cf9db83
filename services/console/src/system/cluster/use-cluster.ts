import { useQuery } from '@tanstack/react-query';
import { useEffect, useReducer } from 'react';
import { useBackend } from '../../data/backend.ts';
import { type Cluster, followCluster } from './follow-cluster.ts';

/** As often as the nodes speak. */
export const pollMs = 3_000;

/** The realtime tier, asked for every three seconds; what it was like before is kept while the room is open. */
export function useCluster(): { cluster: Cluster | undefined; error: unknown; retry: () => void } {
  const { http } = useBackend();
  const [cluster, follow] = useReducer(followCluster, undefined);
  const { data, dataUpdatedAt, error, refetch } = useQuery({
    queryKey: ['realtime-stats'],
    queryFn: () => http.getRealtimeStats(),
    refetchInterval: pollMs,
    // It is asked for again anyway, sooner than a retry would know more.
    retry: false,
  });
  useEffect(() => {
    if (data) follow({ reply: data, receivedAtMs: dataUpdatedAt });
  }, [data, dataUpdatedAt]);
  return { cluster, error, retry: () => void refetch() };
}
