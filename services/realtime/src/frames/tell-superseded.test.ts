import type { Position } from '@hushryd/contracts/fix';
import { AppError } from '@hushryd/platform/errors/app-error';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createOfferRun } from '@hushryd/tracking/runs/offer-run';
import t from 'tap';
import type { Connection } from '../connections/connection.ts';
import { createDriverSession, type DriverRun, openRun } from '../connections/driver-session.ts';
import { createTellSuperseded } from './tell-superseded.ts';

const log = createLogger({ service: 'realtime', instanceId: 'test', level: 'silent' });

t.test('a phone is offered a run of its own once the newer one has been silent for a minute', async (t) => {
  let nowMs = 1_000_000;
  let newestAtMs = nowMs;
  let reads = 0;
  let isRedisAway = false;
  const frames: object[] = [];
  const driver = createDriverSession();
  openRun(driver, 5, 0);
  const older = driver.runs.get(5) as DriverRun;
  const connection = {
    identity: { userId: 'driver-1' },
    isOpen: true,
    driver,
    sendFrame: (frame: object) => frames.push(frame),
  } as unknown as Connection;
  const tell = createTellSuperseded({
    offerRun: createOfferRun({
      reader: {
        read: async () => {
          reads += 1;
          return { recordedAtMs: newestAtMs } as Position;
        },
      },
      runs: {
        hello: async () => {
          if (isRedisAway) throw new AppError('redis_unavailable');
          return { run: 9, durableSeq: 0, position: null };
        },
      },
      now: () => nowMs,
    }),
    log,
    now: () => nowMs,
  });

  tell(connection, older, 7);
  tell(connection, older, 7);
  t.same(frames, [{ type: 'superseded', run: 5, byRun: 7 }], 'said once');

  for (let second = 0; second < 59; second += 1) {
    nowMs += 1000;
    tell(connection, older, 7);
    await Promise.resolve();
  }
  t.ok(reads <= 7, 'it looks every ten seconds, not with every frame');
  t.equal(frames.length, 1, 'the newer phone may only be in a tunnel');

  isRedisAway = true;
  const looked = reads;
  nowMs += 11_000;
  tell(connection, older, 7);
  await waitFor(() => reads > looked, { withinMs: 2000, what: 'a look that fails' });
  isRedisAway = false;
  nowMs += 11_000;
  tell(connection, older, 7);
  await waitFor(() => frames.length === 2, { withinMs: 2000, what: 'the offer' });
  t.match(frames[1], { type: 'superseded', run: 5, byRun: 7, offeredRun: 9 });
  t.ok(driver.runs.has(9), 'fixes of the offered run are taken');

  nowMs += 60_000;
  tell(connection, older, 7);
  await Promise.resolve();
  t.equal(frames.length, 2, 'offered once');
  newestAtMs = nowMs;
  tell(connection, older, 8);
  t.match(frames[2], { byRun: 8, offeredRun: undefined }, 'a third phone is news again');
});
