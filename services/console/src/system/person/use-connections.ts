import { HttpProblem } from '@hushryd/sdk/http/http-problem';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useBackend } from '../../data/backend.ts';

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

/** Ends one connection. That it was gone already is what was wanted. */
export function useEndConnection(userId: string, onDone: (outcome: 'ended' | 'was-gone') => void) {
  const { http } = useBackend();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (connectionId: string) => {
      try {
        await http.endConnection(userId, connectionId);
        return 'ended';
      } catch (error) {
        if (error instanceof HttpProblem && error.code === 'not_found') return 'was-gone';
        throw error;
      }
    },
    onSuccess: onDone,
    onSettled: () => queries.invalidateQueries({ queryKey: keyOf(userId) }),
  });
}
