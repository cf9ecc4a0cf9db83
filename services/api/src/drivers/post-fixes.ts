import type { FixesReply, PostFixesBody } from '@hushryd/contracts/http/drivers';
import { AppError } from '@hushryd/platform/errors/app-error';
import { type AcceptLimits, type AcceptMemory, createAcceptMemory } from '@hushryd/tracking/accept-fix';
import { acceptFrame } from '@hushryd/tracking/accept-frame';
import type { FixBatcher } from '@hushryd/tracking/fix-batcher';
import type { Runs } from '@hushryd/tracking/runs/allot-run';
import type { AccessCache } from '@hushryd/tracking/trip-access/access-cache';
import { LRUCache } from 'lru-cache';
import { withinDeadline } from '../within-deadline.ts';

const maxRuns = 50_000;

/**
 * A `loc` frame over HTTP, for uploaders in the background: the same acceptance, the same batcher, the same promise.
 *
 * What acceptance remembers of a run is kept for the 50,000 runs that wrote last; a run that comes back later, or to another node, is
 * judged afresh from its next fix on. Redis, whose clock allots runs, is asked about a run that this node has not seen yet.
 *
 * Fixes that name a trip they may not count for (unknown, or another driver's) count for the driver alone, and the answer names that
 * trip as `refusedTripId`.
 *
 * @returns once the fixes are in Redis, readable by anyone; an empty list asks how far the run is durable
 * @throws AppError `run_unknown`, `access_unavailable`, `redis_unavailable` within 600 ms: send the same again, nothing is stored twice
 */
export function createPostFixes({
  access,
  batcher,
  runs,
  limits,
  now = Date.now,
}: {
  access: AccessCache;
  batcher: FixBatcher;
  runs: Pick<Runs, 'hello'>;
  limits: AcceptLimits;
  now?: () => number;
}): (driverId: string, body: PostFixesBody) => Promise<FixesReply> {
  const memories = new LRUCache<string, AcceptMemory>({ max: maxRuns });

  function memoryOf(driverId: string, run: number): AcceptMemory {
    const key = `${driverId}:${run}`;
    const memory = memories.get(key) ?? createAcceptMemory();
    memories.set(key, memory);
    return memory;
  }

  async function store(driverId: string, { run, from, tripId, fixes }: PostFixesBody): Promise<FixesReply> {
    if (!memories.has(`${driverId}:${run}`)) await runs.hello({ driverId, run });
    const trip = tripId === undefined ? null : await access.load(tripId);
    if (!batcher.hasRoomFor(fixes.length)) throw new AppError('redis_unavailable', { detail: 'not sent' });
    const nowMs = now();
    const memory = memoryOf(driverId, run);
    const { groups, drops } = acceptFrame({
      driverId,
      run,
      from,
      fixes: inOrder(fixes),
      access: trip,
      memory,
      nowMs,
      limits,
    });
    const results = await Promise.all(groups.map((group) => batcher.add(group)));
    const supersededBy = results.find((result) => result.supersededBy !== undefined)?.supersededBy;
    return {
      run,
      receivedSeq: Math.max(...fixes.map(({ seq }) => seq)),
      durableSeq: Math.max(...results.map(({ durableSeq }) => durableSeq)),
      drops,
      ...(supersededBy !== undefined && { supersededBy }),
      ...(tripId !== undefined && trip?.driverId !== driverId && { refusedTripId: tripId }),
    };
  }

  return async (driverId, body) => {
    if (body.fixes.length > 0) return withinDeadline(store(driverId, body));
    const { durableSeq } = await runs.hello({ driverId, run: body.run, from: body.from });
    return { run: body.run, receivedSeq: 0, durableSeq, drops: [] };
  };
}

/** Rising by seq, each seq once: that is how a group is stored, and a list over HTTP may have been put together from several. */
function inOrder(fixes: PostFixesBody['fixes']): PostFixesBody['fixes'] {
  const isInOrder = fixes.every((fix, index) => index === 0 || fix.seq > (fixes[index - 1]?.seq ?? 0));
  return isInOrder ? fixes : [...new Map(fixes.map((fix) => [fix.seq, fix])).values()].sort((a, b) => a.seq - b.seq);
}
