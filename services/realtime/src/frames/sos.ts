import { randomUUID } from 'node:crypto';
import type { SosFrame } from '@hushryd/contracts/realtime/client-frames';
import { AppError, toAppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { Connection } from '../connections/connection.ts';
import type { RealtimeMetrics } from '../metrics.ts';
import type { ForwardSos } from '../sos-forward.ts';
import type { FrameHandler } from './dispatch.ts';

/** A phone that repeats its alert every second has no more than two under way. */
const maxUnderWay = 4;

/**
 * `sos`: passed on to the api with the identity that the socket was opened with, and answered with its answer. This node holds nothing
 * that would outlive it, so it acknowledges no alert by itself: where the api cannot be reached in time, the phone is sent over HTTPS.
 *
 * @throws (as error frames) what the api says is wrong with the press itself
 */
export function createSosHandler({
  forward,
  metrics,
  log,
}: {
  forward: ForwardSos;
  metrics: Pick<RealtimeMetrics, 'sosForwarded'>;
  log: Logger;
}): FrameHandler<SosFrame> {
  const underWay = new WeakMap<Connection, number>();

  return async (connection, { type: _, id, ...trigger }) => {
    const { userId, role } = connection.identity;
    const reference = { ...(id !== undefined && { id }), triggerId: trigger.alertId };
    const before = underWay.get(connection) ?? 0;
    if (before >= maxUnderWay) {
      metrics.sosForwarded.retry += 1;
      connection.sendFrame({ type: 'sos_retry_over_https', ...reference }, 'sos');
      return;
    }
    underWay.set(connection, before + 1);
    const correlationId = randomUUID();
    try {
      const answer = await forward({ identity: { userId, role }, trigger }, correlationId);
      metrics.sosForwarded.answered += 1;
      connection.sendFrame({ type: 'sos_accepted', ...reference, ...answer }, 'sos');
    } catch (error) {
      const { code, status } = toAppError(error);
      if (error instanceof AppError && status < 500) throw error;
      metrics.sosForwarded.retry += 1;
      const ids = { triggerId: trigger.alertId, correlationId, connectionId: connection.id };
      log.error({ ...ids, code }, 'alert sent over https instead');
      connection.sendFrame({ type: 'sos_retry_over_https', ...reference }, 'sos');
    } finally {
      underWay.set(connection, (underWay.get(connection) ?? 1) - 1);
    }
  };
}
