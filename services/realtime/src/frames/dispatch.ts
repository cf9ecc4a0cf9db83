import type {
  AckFrame,
  HelloFrame,
  LocFrame,
  PingFrame,
  RefreshFrame,
  SosFrame,
  SubFrame,
  TakenSosLocFrame,
  UnsubFrame,
} from '@hushryd/contracts/realtime/client-frames';
import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import { AppError, toAppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { Connection } from '../connections/connection.ts';
import type { RealtimeMetrics } from '../metrics.ts';
import { readBinaryFrame } from './read-binary-frame.ts';
import { type ReadFrame, readFrame, type TakenFrame } from './read-frame.ts';
import { type FrameReference, sendError } from './send-error.ts';

/** What a frame asks for. Whatever it throws becomes an `error` frame that refers to the request. */
export type FrameHandler<Frame> = (connection: Connection, frame: Frame) => void | Promise<void>;

export interface FrameHandlers {
  hello: FrameHandler<HelloFrame>;
  loc: FrameHandler<LocFrame>;
  sub: FrameHandler<SubFrame>;
  unsub: FrameHandler<UnsubFrame>;
  ack: FrameHandler<AckFrame>;
  refresh: FrameHandler<RefreshFrame>;
  sos: FrameHandler<SosFrame>;
  sos_loc: FrameHandler<TakenSosLocFrame>;
  ping: FrameHandler<PingFrame>;
}

/** A `sos` frame with all that it may hold is smaller. */
const maxAlertBytes = 4_096;

export type Dispatch = (connection: Connection, message: ArrayBuffer, isBinary: boolean) => void;

/**
 * Where every frame of every client comes in: size, rate, encoding, type, schema, handler, in this order.
 *
 * A frame that breaks the protocol or its limits is answered with a named error and counted against the socket; too many of them
 * close it (1008). An oversized one closes it at once (1009).
 */
export function createDispatch({
  handlers,
  maxFrameBytes,
  metrics,
  log,
  monotonicMs = () => performance.now(),
  now = Date.now,
}: {
  handlers: FrameHandlers;
  maxFrameBytes: number;
  metrics: RealtimeMetrics;
  log: Logger;
  monotonicMs?: () => number;
  now?: () => number;
}): Dispatch {
  return (connection, message, isBinary) => {
    if (message.byteLength > maxFrameBytes) {
      metrics.framesReceived.bad += 1;
      connection.close(closeCodes.frameTooLarge, 'frame too large');
      return;
    }
    if (!connection.budget.takeFrame(connection.limits, monotonicMs())) {
      const alert = isBinary ? undefined : readAlert(message);
      if (alert === undefined) refuse(connection, new AppError('too_many_frames'), {});
      else take(connection, alert);
      return;
    }
    if (isBinary && !connection.isBinary) {
      refuse(connection, new AppError('frame_malformed', { detail: 'frames are text' }), {});
      return;
    }
    const read = isBinary ? readBinaryFrame(message) : readFrame(message, now());
    if ('error' in read) {
      refuse(connection, read.error, read.reference);
      return;
    }
    take(connection, read);
  };

  /** A call for help is taken whatever else the phone has sent in the same second. */
  function readAlert(message: ArrayBuffer): ReadFrame | undefined {
    if (message.byteLength > maxAlertBytes) return undefined;
    const read = readFrame(message, now());
    return 'frame' in read && read.frame.type === 'sos' ? read : undefined;
  }

  function take(connection: Connection, { frame, dropped = [] }: ReadFrame): void {
    metrics.framesReceived[frame.type] += 1;
    for (const field of dropped) metrics.sosFieldsDropped[field] += 1;
    if (frame.type === 'sos' && dropped.length > 0) {
      const ids = { triggerId: frame.alertId, connectionId: connection.id };
      log.warn({ ...ids, parts: dropped }, 'parts of a press not taken');
    }
    handle(connection, frame);
  }

  function refuse(connection: Connection, error: AppError, reference: FrameReference): void {
    metrics.framesReceived.bad += 1;
    if (connection.budget.noteBadFrame(connection.limits)) sendError(connection, error, reference);
    else connection.close(closeCodes.policyViolation, error.code);
  }

  function handle(connection: Connection, frame: TakenFrame): void {
    try {
      const handler = handlers[frame.type] as FrameHandler<TakenFrame>;
      handler(connection, frame)?.catch((error: unknown) => fail(connection, frame, error));
    } catch (error) {
      fail(connection, frame, error);
    }
  }

  function fail(connection: Connection, frame: TakenFrame, err: unknown): void {
    const error = toAppError(err);
    if (error.code === 'internal') log.error({ err, frame: frame.type, connectionId: connection.id }, 'frame failed');
    sendError(connection, error, {
      id: 'id' in frame ? frame.id : undefined,
      topic: 'topic' in frame ? frame.topic : undefined,
    });
  }
}
