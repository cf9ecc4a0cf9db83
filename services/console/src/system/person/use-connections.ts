import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useBackend } from '../../data/backend.ts';
import { type EndOutcome, endConnection } from './end-connection.ts';

const renewMs = 3_000;
const keyOf = (userId: string) => ['connections', userId] as const;

/** A user's open connections, looked at again every three seconds. */
export function useConnections(userId: string) {
  const { http } = useBackend();
  return useQuery({
    queryKey: keyOf(userId),
    queryFn: () => http.listConnections(userId),
    refetchInterval: renewMs,
  });
}

/** Ends one connection. */
export function useEndConnection(userId: string, onDone: (outcome: EndOutcome) => void) {
  const { http } = useBackend();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (connectionId: string) => endConnection(http, { userId, connectionId }),
    onSuccess: onDone,
    onSettled: () => queries.invalidateQueries({ queryKey: keyOf(userId) }),
  });
}
