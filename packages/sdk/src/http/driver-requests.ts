import type { AvailabilityReply, FixesReply, PostFixesBody, RunReply } from '@hushryd/contracts/http/drivers';
import type { Ask } from './ask.ts';

/** What a driver's phone says over HTTP. Every call may throw `HttpProblem`. */
export interface DriverRequests {
  putAvailability(available: boolean): Promise<AvailabilityReply>;
  /** `hello` over HTTP. */
  createRun(body?: { run?: number; from?: number }): Promise<RunReply>;
  /** A `loc` frame over HTTP; an empty `fixes` asks how far the run is durable. */
  postFixes(body: PostFixesBody): Promise<FixesReply>;
}

/** A file of its own, so that a driver's and a rider's client carry no other calls than these. */
export function createDriverRequests({ post, put }: Pick<Ask, 'post' | 'put'>): DriverRequests {
  return {
    putAvailability: (available) => put('/v1/drivers/me/availability', { available }),
    createRun: (body = {}) => post('/v1/drivers/me/runs', body),
    postFixes: (body) => post('/v1/drivers/me/fixes', body),
  };
}
