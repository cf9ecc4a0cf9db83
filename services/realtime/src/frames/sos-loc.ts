import type { TakenSosLocFrame } from '@hushryd/contracts/realtime/client-frames';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Connection } from '../connections/connection.ts';
import type { ForwardSosFixes } from '../sos-forward.ts';
import type { FrameHandler } from './dispatch.ts';

/** A phone sends the next ones when it has the answer, or has given it up. */
const maxUnderWay = 2;

/**
 * `sos_loc`: fixes of the person who raised an alert, passed on to the api with the identity that the socket was opened with. They never
 * touch positions here; what may be forgotten is what the api says.
 *
 * @throws (as error frames) `not_found`, `sos_state_conflict` as the api says; `access_unavailable`: nobody took them in time, send them again
 */
export function createSosLocHandler(forwardFixes: ForwardSosFixes): FrameHandler<TakenSosLocFrame> {
  const underWay = new WeakMap<Connection, number>();

  return async (connection, { id, alertId, run, fixes }) => {
    const before = underWay.get(connection) ?? 0;
    if (before >= maxUnderWay) throw new AppError('access_unavailable');
    underWay.set(connection, before + 1);
    try {
      // By name: what else the frame holds is not to be taken for who sends it.
      const reply = await forwardFixes({ userId: connection.identity.userId, alertId, run, fixes });
      connection.sendFrame({ type: 'sos_recv', ...(id !== undefined && { id }), ...reply });
    } finally {
      underWay.set(connection, (underWay.get(connection) ?? 1) - 1);
    }
  };
}
