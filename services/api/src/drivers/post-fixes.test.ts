import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import { AppError } from '@hushryd/platform/errors/app-error';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import type { FixGroup } from '@hushryd/tracking/positions/write-batch';
import type { AccessCache } from '@hushryd/tracking/trip-access/access-cache';
import t from 'tap';
import { createPostFixes } from './post-fixes.ts';

const nowMs = Date.UTC(2026, 2, 1, 8);
const trip: TripAccess = {
  tripId: 'trip',
  version: 2,
  state: 'active',
  driverId: 'dora',
  passengerIds: [],
  startedAtMs: nowMs - 60_000,
};

function createStage() {
  const hellos: number[] = [];
  const stage = {
    nowMs,
    supersededBy: undefined as number | undefined,
    pace: { cadenceMs: 0, thinMs: 0 },
    looks: 0,
    offers: [] as (number | Error | undefined)[],
  };
  const groups: FixGroup[] = [];
  const access: Pick<AccessCache, 'loadStarted'> = { loadStarted: async (tripId) => (tripId === 'trip' ? trip : null) };
  const postFixes = createPostFixes({
    access: access as AccessCache,
    batcher: {
      async add(group) {
        groups.push(group);
        const { supersededBy } = stage;
        return { moved: true, durableSeq: group.from - 1, ...(supersededBy !== undefined && { supersededBy }) };
      },
      hasRoomFor: () => true,
      close: async () => undefined,
      pendingFixes: 0,
    },
    runs: {
      async hello({ run = 0, from = 1 }) {
        hellos.push(run);
        if (run > nowMs) throw new AppError('run_unknown');
        return { run, durableSeq: from + 6, position: null };
      },
    },
    async offerRun() {
      stage.looks += 1;
      const offer = stage.offers.shift();
      if (offer instanceof Error) throw offer;
      return offer === undefined ? undefined : { run: offer, durableSeq: 0, position: null };
    },
    historyPaces: { paceOf: () => stage.pace },
    log: createLogger({ service: 'api', instanceId: 'test', level: 'silent' }),
    limits: {
      maxSpeedKmh: 350,
      maxAccuracyMeters: 200,
      maxFutureMs: 30_000,
      liveMaxAgeMs: 30_000,
      maxFixAgeMs: 86_400_000,
    },
    now: () => stage.nowMs,
  });
  return { groups, hellos, postFixes, stage };
}

const fixAt = (seq: number, recordedAtMs = nowMs) => ({ seq, recordedAtMs, lat: 1, lng: 1 });

t.test('fixes are stored rising by seq, each once, however the list came together', async (t) => {
  const { groups, postFixes } = createStage();

  const reply = await postFixes('dora', { run: 1, from: 1, fixes: [3, 1, 2, 3].map((seq) => fixAt(seq)) });

  t.same(
    groups.map(({ fixes }) => fixes.map(({ seq, live }) => [seq, live])),
    [
      [
        [1, true],
        [2, true],
        [3, true],
      ],
    ],
  );
  t.equal(reply.receivedSeq, 3);
});

t.test('what was recorded before the trip counts for the driver alone', async (t) => {
  const { groups, postFixes } = createStage();
  const fixes = [fixAt(1, nowMs - 120_000), fixAt(2, nowMs - 1_000), { ...fixAt(3), lat: 95 }];

  const reply = await postFixes('dora', { run: 1, from: 1, tripId: 'trip', fixes });

  t.same(
    groups.map(({ tripId, from, fixes, drops }) => ({ tripId, from, seqs: fixes.map(({ seq }) => seq), drops })),
    [
      { tripId: undefined, from: 1, seqs: [1], drops: [] },
      { tripId: 'trip', from: 1, seqs: [2], drops: [3] },
    ],
  );
  t.same(reply.drops, [{ seq: 3, reason: 'out_of_range' }]);
});

t.test('a run is judged by what it sent before: an impossible jump is dropped', async (t) => {
  const { postFixes } = createStage();
  await postFixes('dora', { run: 1, from: 1, fixes: [fixAt(1, nowMs - 1_000)] });

  const jump = { run: 1, from: 1, fixes: [{ ...fixAt(2), lat: 2 }] };
  t.same((await postFixes('dora', jump)).drops, [{ seq: 2, reason: 'impossible_speed' }]);
  t.same((await postFixes('dora', { ...jump, run: 2 })).drops, [], 'another run is another phone');
});

t.test('Redis says whether a run is one, once a run', async (t) => {
  const { groups, hellos, postFixes } = createStage();
  const unknown = { run: nowMs + 1, from: 1, fixes: [fixAt(1)] };
  await t.rejects(postFixes('dora', unknown), { code: 'run_unknown' });
  await t.rejects(postFixes('dora', unknown), { code: 'run_unknown' }, 'also the second time');
  await t.rejects(postFixes('dora', { ...unknown, fixes: [] }), { code: 'run_unknown' });
  t.same(groups, []);

  hellos.length = 0;
  await postFixes('dora', { run: 1, from: 1, fixes: [fixAt(1)] });
  await postFixes('dora', { run: 1, from: 1, fixes: [fixAt(2)] });
  t.same(hellos, [1]);
  t.match(await postFixes('dora', { run: 1, from: 3, fixes: [] }), { receivedSeq: 0, durableSeq: 9 });
});

t.test('a trip that is not the driver’s is named, its fixes count for the driver alone', async (t) => {
  const { groups, postFixes } = createStage();
  const body = { run: 1, from: 1, fixes: [fixAt(1)] };

  t.equal((await postFixes('emil', { ...body, tripId: 'trip' })).refusedTripId, 'trip');
  t.equal((await postFixes('dora', { ...body, tripId: 'nowhere' })).refusedTripId, 'nowhere');
  t.same(
    groups.map(({ tripId }) => tripId),
    [undefined, undefined],
  );
  t.notOk('refusedTripId' in (await postFixes('dora', { ...body, tripId: 'trip' })));
});

t.test('an overtaken run is offered another once the newer one is silent, in every answer from then on', async (t) => {
  const { postFixes, stage } = createStage();
  stage.supersededBy = 7;
  stage.offers.push(undefined, new AppError('redis_unavailable'), 9, 10);
  let seq = 0;
  const drive = async (seconds: number) => {
    let reply = {};
    for (let second = 0; second < seconds; second += 1) {
      stage.nowMs += 1_000;
      seq += 1;
      reply = await postFixes('dora', { run: 5, from: 1, fixes: [fixAt(seq, stage.nowMs)] });
    }
    return reply;
  };

  t.match(await drive(10), { supersededBy: 7, offeredRun: undefined });
  t.equal(stage.looks, 1, 'it looks every ten seconds, not with every request');
  t.match(await drive(1), { supersededBy: 7, offeredRun: undefined }, 'fixes are taken also where none can be had');
  t.match(await drive(10), { supersededBy: 7, offeredRun: 9 });
  t.match(await drive(30), { supersededBy: 7, offeredRun: 9 }, 'the answer before may have been lost');
  t.equal(stage.looks, 3);
  stage.supersededBy = 8;
  t.match(await drive(1), { supersededBy: 8, offeredRun: 10 }, 'a third phone is another matter');
  stage.supersededBy = undefined;
  t.notOk('offeredRun' in (await drive(1)));
});

t.test('while history is behind the phone is asked for less, and what comes closer is thinned', async (t) => {
  const { postFixes, stage } = createStage();
  const fixes = [fixAt(1, nowMs - 10_000), fixAt(2, nowMs - 9_000), fixAt(3, nowMs - 5_000)];
  t.notOk('cadenceMs' in (await postFixes('dora', { run: 1, from: 1, fixes })));

  stage.pace = { cadenceMs: 5_000, thinMs: 0 };
  t.match(await postFixes('dora', { run: 2, from: 1, fixes }), { cadenceMs: 5_000, drops: [] });
  stage.pace = { cadenceMs: 5_000, thinMs: 5_000 };
  t.match(await postFixes('dora', { run: 3, from: 1, fixes }), {
    cadenceMs: 5_000,
    drops: [{ seq: 2, reason: 'thinned' }],
  });
});
