import { AppError } from '@hushryd/platform/errors/app-error';

/** Longest wait of a request for live data: a little above one Redis command's deadline. */
export const liveDeadlineMs = 600;

/**
 * The result, or `redis_unavailable` after `ms`. Single commands have deadlines of their own; this bounds what needs several, one
 * after another, behind a hung server.
 */
export async function withinDeadline<Result>(work: Promise<Result>, ms = liveDeadlineMs): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AppError('redis_unavailable', { detail: `no answer within ${ms} ms` })), ms);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
