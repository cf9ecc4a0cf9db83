import type { Position } from '@hushryd/contracts/fix';
import { createNearbyIndex, type NearbyIndex } from '@hushryd/tracking/nearby/nearby-index';
import { Redis } from 'ioredis';
import { createPlaces, driverId, fixAt, type Place } from '../harness/city.ts';
import { interleave } from '../harness/interleave.ts';
import { measure } from '../harness/measurement.ts';
import { formatNumber } from '../harness/print-table.ts';
import { cpuSecondsOf } from '../harness/processes/process-usage.ts';
import type { Scenario } from '../harness/scenario.ts';

const driverCount = 100_000;
const radiusMeters = 3000;
const limit = 10;
const windowMs = 3000;
/** Searches in flight on one connection keep Redis busy all the time. */
const inFlight = 32;

const seeds = { drivers: 1, queries: 2 };

/** The search itself: H3 cells in our memory against one GEO key in Redis, the same drivers, the same questions. */
export const nearby: Scenario = {
  name: 'nearby',
  summary: '10 nearest of 100,000 within 3 km: index in memory against GEOSEARCH on one key',
  maxSeconds: 120,
  async run({ scope, engines, rounds, progress }) {
    const { url, prefix, pid } = await engines.redis(scope);
    const redis = new Redis(url);
    scope.teardown(() => redis.disconnect());
    const key = `${prefix}drivers`;

    progress(`${formatNumber(driverCount)} drivers into both`);
    const index = createNearbyIndex();
    const nextPlace = createPlaces(seeds.drivers);
    for (let from = 0; from < driverCount; from += 1000) {
      const added: (string | number)[] = [];
      for (let driver = from; driver < from + 1000; driver += 1) {
        const place = nextPlace();
        index.upsert(positionAt(driver, place));
        added.push(place.lng, place.lat, driverId(driver));
      }
      await redis.geoadd(key, ...added);
    }
    await assertSameAnswers(index, redis, key);

    const samples = await interleave({
      rounds,
      progress,
      contenders: {
        ours: async () => perCoreSecond(process.pid, async () => searchIndex(index)),
        GEOSEARCH: () => perCoreSecond(pid, () => searchRedis(redis, key)),
      },
      describe: (perSecond) => `${formatNumber(perSecond)} searches/s`,
    });
    return [
      measure({
        scenario: 'nearby',
        metric: 'searches a second of one core',
        unit: '1/s',
        ours: samples.ours,
        baseline: { name: 'GEOSEARCH on one key', samples: samples.GEOSEARCH },
        limits: [{ ratioAtLeast: 20 }],
      }),
    ];
  },
};

function positionAt(driver: number, place: Place): Position {
  const { live: _, ...fix } = fixAt(place, { seq: 1, recordedAtMs: 1_700_000_000_000 });
  return { driverId: driverId(driver), state: 'available', run: 1, ...fix };
}

/**
 * By the processor time of whoever answers, so that a busy machine changes little. A Redis that was not started here is
 * counted by the clock, as if it had a core to itself.
 */
async function perCoreSecond(pid: number | undefined, search: () => Promise<number>): Promise<number> {
  const usedSeconds = () => (pid === undefined ? undefined : cpuSecondsOf(pid)) ?? performance.now() / 1000;
  const before = usedSeconds();
  const searches = await search();
  return searches / (usedSeconds() - before);
}

/** @returns how many searches it was */
function searchIndex(index: NearbyIndex): number {
  const nextPlace = createPlaces(seeds.queries);
  const untilMs = performance.now() + windowMs;
  let searches = 0;
  for (; performance.now() < untilMs; searches += 1) index.nearest({ ...nextPlace(), radiusMeters, limit });
  return searches;
}

async function searchRedis(redis: Redis, key: string): Promise<number> {
  const nextPlace = createPlaces(seeds.queries);
  const untilMs = performance.now() + windowMs;
  let searches = 0;
  const lanes = Array.from({ length: inFlight }, async () => {
    for (; performance.now() < untilMs; searches += 1) await geoSearch(redis, key, nextPlace());
  });
  await Promise.all(lanes);
  return searches;
}

const geoSearch = (redis: Redis, key: string, { lat, lng }: Place) =>
  redis.geosearch(key, 'FROMLONLAT', lng, lat, 'BYRADIUS', radiusMeters, 'm', 'ASC', 'COUNT', limit, 'WITHDIST');

/** A fast wrong answer is no figure. Redis keeps places to 0.6 m, so distances are compared, not the order of neighbours at a tie. */
async function assertSameAnswers(index: NearbyIndex, redis: Redis, key: string): Promise<void> {
  const nextPlace = createPlaces(seeds.queries);
  for (let query = 0; query < 100; query += 1) {
    const place = nextPlace();
    const ours = index.nearest({ ...place, radiusMeters, limit }).map(({ distanceMeters }) => distanceMeters);
    const theirs = ((await geoSearch(redis, key, place)) as [string, string][]).map(([, meters]) => Number(meters));
    const isSame =
      theirs.length === ours.length && theirs.every((meters, at) => Math.abs(meters - (ours[at] ?? 0)) < 5);
    if (!isSame)
      throw new Error(`the index and Redis disagree near ${place.lat}, ${place.lng}: ${ours} against ${theirs}`);
  }
}
