import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { distanceMeters } from '../geo/sphere.ts';
import { parseCsv } from './parse-csv.ts';
import { parseGeoJson } from './parse-geojson.ts';
import { parseGpx } from './parse-gpx.ts';
import { interpolate, type PlannedTrip, planReplay } from './plan-replay.ts';
import { readTrips } from './read-trips.ts';
import type { RecordedTrip } from './recorded-trip.ts';

const header = 'trip_id,taxi_id,started_at,sample_interval_s,polyline_lng_lat';
const row = (values: Partial<Record<'id' | 'taxi' | 'at' | 'step' | 'line', string>> = {}) =>
  [
    values.id ?? 't1',
    values.taxi ?? 'x1',
    values.at ?? '2013-08-14T23:39:06Z',
    values.step ?? '15',
    `"${values.line ?? '[[-8.649081,41.178474],[-8.6481,41.17]]'}"`,
  ].join(',');
const csv = (...rows: string[]) => parseCsv({ text: [header, ...rows].join('\n'), name: 'trips.csv' });
const gpx = (...lines: string[]) =>
  parseGpx({
    text: ['<gpx version="1.1">', '<trk><trkseg>', ...lines, '</trkseg></trk>', '</gpx>'].join('\n'),
    name: 'a.gpx',
  });

t.test('CSV: a row becomes a trip with its coordinates as written', async (t) => {
  const [trip, ...rest] = csv(row());

  t.same(rest, []);
  t.same(trip, {
    tripId: 't1',
    driverId: 'x1',
    startedAtMs: Date.parse('2013-08-14T23:39:06Z'),
    fixes: [
      { lng: -8.649081, lat: 41.178474, offsetMs: 0 },
      { lng: -8.6481, lat: 41.17, offsetMs: 15_000 },
    ],
  });
});

t.test('CSV: columns may come in another order, with others between, after a byte order mark', async (t) => {
  const text = `\uFEFFtaxi_id,note,polyline_lng_lat,trip_id,started_at,sample_interval_s\nx,"a, b","[[1,2]]",t,2020-01-01T00:00:00Z,1`;

  t.same(parseCsv({ text, name: 'a.csv' })[0]?.fixes, [{ lng: 1, lat: 2, offsetMs: 0 }]);
});

t.test('CSV: a bad row is a sentence that names line and field', async (t) => {
  const cases: [string, RegExp][] = [
    [row({ id: 'a b' }), /^trips\.csv, line 3, field "trip_id": "a b" is not an id/],
    [row({ taxi: '' }), /line 3, field "taxi_id": "" is not an id/],
    [row({ at: '14.8.2013' }), /line 3, field "started_at": "14\.8\.2013" is not a time like/],
    [row({ at: '2013-08-14T23:39:06' }), /line 3, field "started_at"/],
    [row({ step: '0' }), /line 3, field "sample_interval_s": "0" is not a number of seconds/],
    [row({ step: '' }), /line 3, field "sample_interval_s"/],
    [row({ line: '[[1,2],[1' }), /line 3, field "polyline_lng_lat": .* is not JSON/],
    [row({ line: '7' }), /line 3, field "polyline_lng_lat": 7 is not an array/],
    [row({ line: '[[1,2],[1,91]]' }), /line 3, field "polyline_lng_lat\[1\]": \[1,91\] is not \[longitude, latitude\]/],
    ['t2,x2', /^trips\.csv, line 3: Invalid Record Length/],
    ['t2,x2,"2013', /^trips\.csv, line 3: Quote Not Closed/],
  ];

  for (const [bad, sentence] of cases) t.throws(() => csv(row(), bad), { name: 'StartError', message: sentence }, bad);
  t.throws(() => csv(row({ id: 'a b' })), { message: /line 2, field "trip_id"/ }, 'the first row');
  t.throws(() => parseCsv({ text: 'a,b\n1,2', name: 'a.csv' }), {
    message: /^a\.csv, line 1: the column trip_id, taxi_id/,
  });
});

t.test('CSV: the line named is right behind a record of several lines', async (t) => {
  const spread = row({ line: '[[1,2],\n\n[1,3]]' });

  t.throws(() => csv(spread, row({ id: '?' })), { message: /line 5, field "trip_id"/ });
});

t.test('GPX: a track becomes a trip, its segments joined', async (t) => {
  const [trip] = gpx(
    '<trkpt lat="41.1" lon="-8.6"><ele>3</ele><time>2020-01-01T00:00:00Z</time></trkpt>',
    '</trkseg><trkseg>',
    '<trkpt lat="41.2" lon="-8.5"><time>2020-01-01T00:00:07.500Z</time><name>x</name></trkpt>',
  );

  t.same(trip?.fixes, [
    { lat: 41.1, lng: -8.6, offsetMs: 0 },
    { lat: 41.2, lng: -8.5, offsetMs: 7500 },
  ]);
});

t.test('GPX: a track’s own name is the trip’s id where it can be one', async (t) => {
  const point = (name: string) =>
    `<trkseg><trkpt lat="1" lon="2"><time>2020-01-01T00:00:00Z</time><name>${name}</name></trkpt></trkseg>`;
  const text = `<gpx><trk><name>car-1-7</name>${point('p')}</trk><trk><name>To the sea</name>${point('p')}</trk><trk>${point('p')}</trk></gpx>`;

  t.same(
    parseGpx({ text, name: 'a.gpx' }).map((trip) => trip.tripId),
    ['car-1-7', 'track-2', 'track-3'],
  );
});

t.test('GPX: a fault is a sentence that names its line', async (t) => {
  const good = '<trkpt lat="41.1" lon="-8.6"><time>2020-01-01T00:00:05Z</time></trkpt>';
  const cases: [string, RegExp][] = [
    ['<trkpt lat="91" lon="0"><time>2020-01-01T00:00:06Z</time></trkpt>', /^a\.gpx, line 4, column \d+, field "trkpt"/],
    ['<trkpt lat="1"><time>2020-01-01T00:00:06Z</time></trkpt>', /line 4, column \d+, field "trkpt"/],
    ['<trkpt lat="1" lon="1"></trkpt>', /line 4, field "time": nothing is not a time/],
    ['<trkpt lat="1" lon="1"><time>yesterday</time></trkpt>', /line 4, field "time": "yesterday"/],
    ['<trkpt lat="1" lon="1"><time>2020-01-01T00:00:04Z</time></trkpt>', /track 1, point 2: its time is before/],
    ['<trkpt lat=1>', /^a\.gpx, line 4, column \d+: unquoted attribute value/],
  ];

  for (const [bad, sentence] of cases) t.throws(() => gpx(good, bad), { name: 'StartError', message: sentence }, bad);
});

t.test('GeoJSON: times come from coordTimes or from start and interval', async (t) => {
  const feature = (properties: object) =>
    JSON.stringify({
      type: 'Feature',
      geometry: {
        type: 'LineString',
        coordinates: [
          [-8.6, 41.1, 90],
          [-8.5, 41.2],
        ],
      },
      properties,
    });
  const times = { coordTimes: ['2020-01-01T00:00:00Z', '2020-01-01T00:00:09Z'] };
  const steps = { started_at: '2020-01-01T00:00:00Z', sample_interval_s: 9, trip_id: 7, taxi_id: 'x' };

  const [byTimes] = parseGeoJson({ text: feature(times), name: 'a.json' });
  const [bySteps] = parseGeoJson({ text: feature(steps), name: 'a.json' });

  t.same(byTimes?.fixes, [
    { lat: 41.1, lng: -8.6, offsetMs: 0 },
    { lat: 41.2, lng: -8.5, offsetMs: 9000 },
  ]);
  t.same(bySteps?.fixes, byTimes?.fixes);
  t.match(bySteps, { tripId: '7', driverId: 'x' });
  const fall = { coordTimes: ['2020-01-01T00:00:09Z', '2020-01-01T00:00:00Z'] };
  t.throws(() => parseGeoJson({ text: feature(fall), name: 'a.json' }), {
    message: /feature 1, field "properties\.coordTimes\[1\]"/,
  });
  t.throws(() => parseGeoJson({ text: feature({}), name: 'a.json' }), {
    message: /feature 1, field "properties\.started_at"/,
  });
  t.throws(() => parseGeoJson({ text: '{\n  "a": oops', name: 'a.json' }), {
    message: /^a\.json, line 2, column 8: this is not JSON/,
  });
  t.throws(() => parseGeoJson({ text: '3', name: 'a.json' }), { message: /neither a FeatureCollection nor a Feature/ });
});

t.test('a file that cannot be replayed is one sentence', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'hushryd-replay-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const write = async (name: string, text: string) => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };

  await t.rejects(readTrips(join(folder, 'none.csv')), { name: 'StartError', message: /there is no such file/ });
  await t.rejects(readTrips('trips.xlsx'), { message: /only \.csv, \.gpx, \.geojson and \.json/ });
  await t.rejects(readTrips(await write('twice.csv', [header, row(), row()].join('\n'))), {
    message: /trip t1 stands in it twice/,
  });
  await t.rejects(readTrips(await write('empty.csv', header)), { message: /there is no trip with a point/ });
  t.equal((await readTrips(await write('good.csv', [header, row()].join('\n')))).length, 1);
});

const tripArbitrary = fc
  .record({
    driver: fc.integer({ min: 1, max: 4 }),
    startedAtMs: fc.integer({ min: 0, max: 1e12 }),
    steps: fc.array(
      fc.record({
        lat: fc.integer({ min: -1e6, max: 1e6 }),
        lng: fc.integer({ min: -1e6, max: 1e6 }),
        ms: fc.integer({ min: 0, max: 90_000 }),
      }),
      { maxLength: 20 },
    ),
  })
  .map(({ driver, startedAtMs, steps }): Omit<RecordedTrip, 'tripId'> => {
    let offsetMs = 0;
    const fixes = steps.map((step, index) => {
      if (index > 0) offsetMs += step.ms;
      return { lat: step.lat / 1e6, lng: step.lng / 1e6, offsetMs };
    });
    return { driverId: `d${driver}`, startedAtMs, fixes };
  });
const tripsArbitrary = fc
  .array(tripArbitrary, { maxLength: 12 })
  .map((trips) => trips.map((trip, index): RecordedTrip => ({ ...trip, tripId: `t${index}` })));

/** Asserts that a planned trip holds its recording: each fix, in order, at start + offset / speed. */
function checkTrip(input: { planned: PlannedTrip; source: RecordedTrip; speed: number }): void {
  const { planned, source, speed } = input;
  const startMs = planned.fixes[0]?.atMs ?? Number.NaN;
  let next = 0;
  for (const fix of source.fixes) {
    const atMs = startMs + Math.round(fix.offsetMs / speed);
    const place = planned.fixes.findIndex(
      (f, i) => i >= next && f.lat === fix.lat && f.lng === fix.lng && f.atMs === atMs,
    );
    assert.ok(place >= next, `trip ${source.tripId} lost the fix of ${fix.offsetMs} ms`);
    next = place + 1;
  }
  const timesMs = planned.fixes.map((fix) => fix.atMs);
  assert.deepEqual(
    timesMs,
    timesMs.toSorted((a, b) => a - b),
  );
}

t.test('a plan holds every recording and runs the trips of a driver one after the other', async (t) => {
  const property = fc.property(
    tripsArbitrary,
    fc.integer({ min: 1, max: 400 }),
    fc.integer({ min: 1, max: 30 }),
    (trips, speed, intervalSeconds) => {
      const plan = planReplay({ trips, speed, intervalMs: intervalSeconds * 1000, gapMs: 2000 });

      const ids = (list: readonly { tripId: string }[]) => list.map((trip) => trip.tripId).sort();
      const withFixes = trips.filter((trip) => trip.fixes.length > 0);
      assert.deepEqual(ids(plan.drivers.flatMap((driver) => driver.trips)), ids(withFixes));
      for (const { driverId, trips: own } of plan.drivers) {
        const sources = own.map((trip) => trips.find((source) => source.tripId === trip.tripId));
        assert.ok((own[0]?.fixes[0]?.atMs ?? 0) < 60_000 / speed, 'the first trip starts in the first minute');
        for (const [index, trip] of own.entries()) {
          const source = sources[index];
          assert.ok(source && source.driverId === driverId);
          assert.ok(source.startedAtMs >= (sources[index - 1]?.startedAtMs ?? 0), 'earlier trips come first');
          assert.ok((trip.fixes[0]?.atMs ?? -1) >= (own[index - 1]?.fixes.at(-1)?.atMs ?? -2000) + 2000);
          checkTrip({ planned: trip, source, speed });
        }
      }
    },
  );

  t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }));
});

t.test(
  'the recording’s own interval puts nothing between its fixes; a shorter one does, but not into a long silence',
  async (t) => {
    const at = (seconds: number, lat: number) => ({ lat, lng: 0, offsetMs: seconds * 1000 });
    const fixes = [at(0, 0), at(15, 0.003), at(30, 0.006), at(120, 0.01)];

    t.same(interpolate(fixes, 15_000), fixes);
    t.same(interpolate(fixes, 5000), [
      at(0, 0),
      at(5, 0.001),
      at(10, 0.002),
      at(15, 0.003),
      at(20, 0.004),
      at(25, 0.005),
      at(30, 0.006),
      at(120, 0.01),
    ]);
  },
);

t.test('speed and heading are those of the recording, whatever the speed of the replay', async (t) => {
  const fixes = [
    { lat: 41, lng: -8, offsetMs: 0 },
    { lat: 41, lng: -7.998, offsetMs: 15_000 },
    { lat: 41, lng: -7.998, offsetMs: 30_000 },
  ];
  const trips = [{ tripId: 't', driverId: 'd', startedAtMs: 0, fixes }];

  const planned = planReplay({ trips, speed: 10, intervalMs: 15_000 }).drivers[0]?.trips[0]?.fixes ?? [];

  const [from, to] = fixes as [RecordedTrip['fixes'][0], RecordedTrip['fixes'][0], unknown];
  const speedMps = Math.round((distanceMeters(from, to) / 15) * 10) / 10;
  t.same(
    planned.map(({ atMs, speedMps, headingDegrees }) => ({ atMs, speedMps, headingDegrees })),
    [
      { atMs: 0, speedMps, headingDegrees: 90 },
      { atMs: 1500, speedMps, headingDegrees: 90 },
      { atMs: 3000, speedMps: 0, headingDegrees: 90 },
    ],
    'a standing car keeps its heading',
  );
});

t.test('a suffix makes trip ids new and never longer than an id may be', async (t) => {
  const fixes = [{ lat: 0, lng: 0, offsetMs: 0 }];
  const trips = ['a', 'x'.repeat(63), `${'x'.repeat(62)}y`].map((tripId) => ({
    tripId,
    driverId: 'd',
    startedAtMs: 0,
    fixes,
  }));

  const planned = planReplay({ trips, speed: 1, intervalMs: 1000, tripIdSuffix: '-r1' }).drivers.flatMap(
    (driver) => driver.trips,
  );

  t.same(
    planned.map((trip) => trip.tripId),
    ['a-r1', 'trip-2-r1', 'trip-3-r1'],
  );
  t.equal(planned[1]?.reference, 'x'.repeat(63));
});
