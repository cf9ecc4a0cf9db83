import type { FixesReply, PostFixesBody } from '@hushryd/contracts/http/drivers';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import { type AcceptLimits, type AcceptMemory, createAcceptMemory } from '@hushryd/tracking/accept-fix';
import { acceptFrame } from '@hushryd/tracking/accept-frame';
import type { FixBatcher } from '@hushryd/tracking/fix-batcher';
import type { HistoryPaces } from '@hushryd/tracking/history/history-paces';
import type { Runs } from '@hushryd/tracking/runs/allot-run';
import type { OfferRun } from '@hushryd/tracking/runs/offer-run';
import type { AccessCache } from '@hushryd/tracking/trip-access/access-cache';
import { LRUCache } from 'lru-cache';
import { withinDeadline } from '../within-deadline.ts';
import { createFindOffer, type Overtaken } from './overtaken-runs.ts';

const maxRuns = 50_000;

interface RunMemory {
  readonly accept: AcceptMemory;
  overtaken?: Overtaken;
}

/**
 * A `loc` frame over HTTP, for uploaders in the background: the same acceptance, the same batcher, the same promise.
 *
 * What acceptance remembers of a run is kept for the 50,000 runs that wrote last; a run that comes back later, or to another node, is
 * judged afresh from its next fix on. Redis, whose clock allots runs, is asked about a run that this node has not seen yet.
 *
 * Fixes that name a trip they may not count for (unknown, or another driver's) count for the driver alone, and the answer names that
 * trip as `refusedTripId`. A run that was overtaken hears so in each answer, and which run it may go on in once the newer one is silent.
 * While history is behind, answers ask for the same cadence as over sockets, and what comes closer is thinned alike.
 *
 * @returns once the fixes are in Redis, readable by anyone; an empty list asks how far the run is durable
 * @throws AppError `run_unknown`, `access_unavailable`, `redis_unavailable` within 600 ms: send the same again, nothing is stored twice
 */
export function createPostFixes({
  access,
  batcher,
  runs,
  offerRun,
  historyPaces,
  limits,
  log,
  now = Date.now,
}: {
  access: AccessCache;
  batcher: FixBatcher;
  runs: Pick<Runs, 'hello'>;
  offerRun: OfferRun;
  historyPaces: Pick<HistoryPaces, 'paceOf'>;
  limits: AcceptLimits;
  log: Logger;
  now?: () => number;
}): (driverId: string, body: PostFixesBody) => Promise<FixesReply> {
  const memories = new LRUCache<string, RunMemory>({ max: maxRuns });
  const findOffer = createFindOffer({ offerRun, log, now });

  function memoryOf(driverId: string, run: number): RunMemory {
    const key = `${driverId}:${run}`;
    const memory = memories.get(key) ?? { accept: createAcceptMemory() };
    memories.set(key, memory);
    return memory;
  }

  async function store(driverId: string, { run, from, tripId, fixes }: PostFixesBody): Promise<FixesReply> {
    if (!memories.has(`${driverId}:${run}`)) await runs.hello({ driverId, run });
    const trip = tripId === undefined ? null : await access.loadStarted(tripId);
    if (!batcher.hasRoomFor(fixes.length)) throw new AppError('redis_unavailable', { detail: 'not sent' });
    const nowMs = now();
    const memory = memoryOf(driverId, run);
    const { cadenceMs, thinMs } = historyPaces.paceOf(driverId);
    const { groups, drops } = acceptFrame({
      driverId,
      run,
      from,
      fixes: inOrder(fixes),
      access: trip,
      memory: memory.accept,
      thinMs,
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
      ...(supersededBy !== undefined && (await sayOvertaken(driverId, memory, supersededBy))),
      ...(cadenceMs > 0 && { cadenceMs }),
      ...(tripId !== undefined && trip?.driverId !== driverId && { refusedTripId: tripId }),
    };
  }

  async function sayOvertaken(driverId: string, memory: RunMemory, supersededBy: number) {
    if (memory.overtaken?.byRun !== supersededBy) {
      memory.overtaken = { byRun: supersededBy, offeredRun: undefined, lookAtMs: 0 };
    }
    const offeredRun = await findOffer(driverId, memory.overtaken);
    return { supersededBy, ...(offeredRun !== undefined && { offeredRun }) };
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
