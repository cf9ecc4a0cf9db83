import type { Drop } from '@hushryd/contracts/fix';
import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import type { LocFrame } from '@hushryd/contracts/realtime/client-frames';
import { tripTopic } from '@hushryd/contracts/realtime/topics';
import { AppError, toAppError } from '@hushryd/platform/errors/app-error';
import type { AcceptLimits } from '@hushryd/tracking/accept-fix';
import { acceptFrame } from '@hushryd/tracking/accept-frame';
import type { FixBatcher } from '@hushryd/tracking/fix-batcher';
import type { FixGroup, GroupResult } from '@hushryd/tracking/positions/write-batch';
import type { AccessCache } from '@hushryd/tracking/trip-access/access-cache';
import { hasStarted } from '@hushryd/tracking/trip-access/access-rules';
import type { Connection } from '../connections/connection.ts';
import type { DriverRun, DriverSession } from '../connections/driver-session.ts';
import type { DriverPhones } from '../fanout/driver-phones.ts';
import type { RealtimeMetrics } from '../metrics.ts';
import type { FrameHandler } from './dispatch.ts';
import { sendError } from './send-error.ts';
import type { TellSuperseded } from './tell-superseded.ts';

/** Frames that may wait for a trip's record: more come only from a phone that does not keep to the rate. */
const maxWaitingFrames = 40;
const maxRefusedTrips = 16;

/**
 * `loc`: fixes of a driver's phone. Each is kept or dropped with a reason; once those kept are in Redis the frame is answered with
 * `recv`, frames of one socket in the order they came.
 *
 * Fixes that name a trip they may not count for (unknown, or another driver's) count for the driver alone, and the phone hears
 * `not_found` for that trip once. That error carries no `id`: the frame itself was taken.
 *
 * @throws (as error frames) `forbidden`, `run_unknown` for a run that this socket said no `hello` for, `frame_invalid` for seqs out of
 *   order, `access_unavailable` and `redis_unavailable` (both: send again)
 */
export function createFixesHandler({
  batcher,
  access: accessCache,
  phones,
  tellSuperseded,
  limits,
  metrics,
  now = Date.now,
}: {
  batcher: FixBatcher;
  access: AccessCache;
  phones: DriverPhones;
  tellSuperseded: TellSuperseded;
  limits: AcceptLimits;
  metrics: RealtimeMetrics;
  now?: () => number;
}): FrameHandler<LocFrame> {
  return (connection, frame) => {
    if (connection.identity.role !== 'driver') throw new AppError('forbidden');
    const session = connection.driver;
    if (session?.runs.get(frame.run) === undefined) throw new AppError('run_unknown');
    checkOrder(frame);
    if (session.waiting.length > 0) return wait(connection, session, frame);
    if (frame.tripId === undefined) return write(connection, session, frame, undefined);
    const access = accessCache.peek(frame.tripId);
    if (access !== undefined && hasStarted(access)) return write(connection, session, frame, access);
    return wait(connection, session, frame);
  };

  /** Frames are written in the order they came, so whoever comes while one waits for a record waits behind it. */
  async function wait(connection: Connection, session: DriverSession, frame: LocFrame): Promise<void> {
    if (session.waiting.length >= maxWaitingFrames) throw new AppError('access_unavailable');
    session.waiting.push(frame);
    if (session.waiting.length > 1) return;
    for (let next: LocFrame | undefined = frame; next !== undefined; next = session.waiting[0]) {
      await writeWithAccess(connection, session, next);
      session.waiting.shift();
    }
  }

  async function writeWithAccess(connection: Connection, session: DriverSession, frame: LocFrame): Promise<void> {
    try {
      const access = frame.tripId === undefined ? undefined : await accessCache.loadStarted(frame.tripId);
      if (connection.isOpen) write(connection, session, frame, access);
    } catch (error) {
      sendError(connection, toAppError(error), { id: frame.id });
    }
  }

  /** @param access of the trip that the frame names; null where there is no such trip */
  function write(
    connection: Connection,
    session: DriverSession,
    frame: LocFrame,
    access: TripAccess | null | undefined,
  ): void {
    const run = session.runs.get(frame.run);
    if (run === undefined) throw new AppError('run_unknown');
    const driverId = connection.identity.userId;
    const own = access?.driverId === driverId ? access : undefined;
    if (frame.tripId !== undefined && own === undefined) refuseTrip(connection, session, frame.tripId);

    if (!batcher.hasRoomFor(frame.fixes.length)) throw new AppError('redis_unavailable', { detail: 'not sent' });
    const nowMs = now();
    const { groups, accepted, drops } = acceptFrame({
      driverId,
      run: frame.run,
      from: frame.from,
      fixes: frame.fixes,
      access: own,
      memory: run.memory,
      thinMs: phones.paceOf(driverId).thinMs,
      nowMs,
      limits,
    });
    for (const fix of accepted) metrics.fixesAccepted[fix.live ? 'live' : 'history'] += 1;
    for (const { reason } of drops) metrics.fixesDropped[reason] += 1;

    writeInOrder(groups).then(
      (result) => answer(connection, session, run, frame, drops, result),
      (error: unknown) => sendError(connection, toAppError(error), { id: frame.id }),
    );
  }

  /** Groups of one driver are written in the order they were handed over, so the last result speaks for all. */
  function writeInOrder(groups: readonly FixGroup[]): Promise<GroupResult> {
    const results = groups.map((group) => batcher.add(group));
    const last = results.at(-1) as Promise<GroupResult>;
    return results.length === 1 ? last : Promise.all(results).then(() => last);
  }

  function answer(
    connection: Connection,
    session: DriverSession,
    run: DriverRun,
    frame: LocFrame,
    drops: Drop[],
    result: GroupResult,
  ): void {
    if (!connection.isOpen) return;
    const seq = frame.fixes.at(-1)?.seq ?? 0;
    const { cadenceMs } = phones.paceOf(connection.identity.userId);
    connection.sendFrame({
      type: 'recv',
      ...(frame.id !== undefined && { id: frame.id }),
      run: run.run,
      seq,
      ...(drops.length > 0 && { drops }),
      ...(cadenceMs !== session.cadenceMs && { cadenceMs }),
    });
    session.cadenceMs = cadenceMs;
    run.receivedSeq = Math.max(run.receivedSeq, seq);
    phones.raiseDurable(connection, run, result.durableSeq);
    phones.expectDurable(run);
    if (result.supersededBy !== undefined) tellSuperseded(connection, run, result.supersededBy);
  }
}

/** Rising seqs, none below `from`: what the phone says it no longer keeps cannot be in the frame. */
function checkOrder({ from, fixes }: LocFrame): void {
  let last = from - 1;
  for (const { seq } of fixes) {
    if (seq <= last) throw new AppError('frame_invalid', { detail: 'fixes must rise by seq, from `from` on' });
    last = seq;
  }
}

function refuseTrip(connection: Connection, session: DriverSession, tripId: string): void {
  if (session.refusedTrips.has(tripId)) return;
  if (session.refusedTrips.size >= maxRefusedTrips) session.refusedTrips.clear();
  session.refusedTrips.add(tripId);
  sendError(connection, new AppError('not_found'), { topic: tripTopic(tripId) });
}
