import { AppError } from '@hushryd/platform/errors/app-error';
import { raceTimer } from '@hushryd/platform/lifecycle/race-timer';

/** Longest wait of a request for live data: a little above one Redis command's deadline. */
export const liveDeadlineMs = 600;

/**
 * The result, or `redis_unavailable` after `ms`. Single commands have deadlines of their own; this bounds what needs several, one
 * after another, behind a hung server.
 */
export function withinDeadline<Result>(work: Promise<Result>, ms = liveDeadlineMs): Promise<Result> {
  return raceTimer(work, ms, (): never => {
    throw new AppError('redis_unavailable', { detail: `no answer within ${ms} ms` });
  });
}
