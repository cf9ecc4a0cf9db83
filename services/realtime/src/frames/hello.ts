import type { HelloFrame } from '@hushryd/contracts/realtime/client-frames';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Runs } from '@hushryd/tracking/runs/allot-run';
import { createDriverSession, openRun } from '../connections/driver-session.ts';
import type { DriverPhones } from '../fanout/driver-phones.ts';
import type { FrameHandler } from './dispatch.ts';

/**
 * `hello`: a driver's phone says which run it goes on with, or asks for one, and hears how far that run is durable.
 *
 * @throws (as error frames) `forbidden` for anybody but a driver, `run_unknown`, `redis_unavailable`
 */
export function createHelloHandler({ runs, phones }: { runs: Runs; phones: DriverPhones }): FrameHandler<HelloFrame> {
  return async (connection, { id, run, from }) => {
    const { role, userId } = connection.identity;
    if (role !== 'driver') throw new AppError('forbidden');
    const welcome = await runs.hello({ driverId: userId, run, from });
    if (!connection.isOpen) return;
    if (connection.driver === undefined) {
      connection.driver = createDriverSession();
      phones.add(connection);
    }
    openRun(connection.driver, welcome.run, welcome.durableSeq);
    connection.sendFrame({ type: 'welcome', ...(id !== undefined && { id }), ...welcome });
  };
}
