import { HttpProblem } from '@hushryd/sdk/http/http-problem';
import { QueryClient } from '@tanstack/react-query';

/** Answers are kept for five minutes after their last use and at most asked for again twice, and only where that can help. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        gcTime: 300_000,
        refetchOnWindowFocus: false,
        networkMode: 'always',
        retry: (failures, error) => failures < 2 && error instanceof HttpProblem && error.isRetryable,
        retryDelay: (failures, error) =>
          error instanceof HttpProblem && error.retryAfterMs !== undefined ? error.retryAfterMs : 500 * 2 ** failures,
      },
      // Offline an order fails at once and says so: one that was kept back would be given long after anybody meant it.
      mutations: { networkMode: 'always', retry: false },
    },
  });
}
