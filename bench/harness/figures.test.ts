import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { createLatencyHistogram } from './latency-histogram.ts';
import { dueAtMs, fixOf, seqOf } from './load/fix-schedule.ts';
import { createLocFrame, firstSeq } from './load/loc-frame.ts';
import { measure } from './measurement.ts';
import { formatTable } from './print-table.ts';
import { type StoredMeasurement, writeResults } from './results-file.ts';
import { raiseUntilSaturated } from './saturate.ts';

const machine = { cores: 2, node: 'v20.0.0', redis: 'Redis 7.0', database: null };

t.test('a percentile is the sample that sorting would give, to one percent', async (t) => {
  const latencies = fc.array(fc.double({ min: 0.001, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 300 });
  const property = fc.property(latencies, fc.constantFrom(0.5, 0.95, 0.99, 0.999, 1), (samples, share) => {
    const whole = createLatencyHistogram();
    const half = createLatencyHistogram();
    for (const [index, ms] of samples.entries()) (index % 2 === 0 ? whole : half).record(ms);
    whole.add(half.toCounts());

    const sorted = [...samples].sort((a, b) => a - b);
    const expected = sorted[Math.ceil(share * samples.length) - 1]!;
    const found = whole.percentile(share);
    t.ok(Math.abs(found - expected) <= expected * 0.01 + 0.002, `${found} for ${expected}`);
    t.equal(whole.count, samples.length);
    t.equal(whole.maxMs, sorted.at(-1));
  });
  fc.assert(property, { numRuns: 300 });
});

t.test('a row holds medians, the median of paired ratios, and whether its limits are met', async (t) => {
  const baseline = { name: 'bare', samples: [100, 200, 50] };
  const row = measure({
    scenario: 's',
    metric: 'm',
    unit: '1/s',
    ours: [80, 180, 40],
    baseline,
    limits: [{ atLeast: 80 }, { ratioAtLeast: 0.8 }],
  });

  t.match(row, { ours: 80, baseline: 100, ratio: 0.8, met: true, budget: '≥ 80 and ≥ 0.8 ×' });
  t.strictSame(row.samples, { min: 40, median: 80, max: 180 });
  t.equal(measure({ scenario: 's', metric: 'm', unit: 'ms', ours: [16], limits: [{ atMost: 15 }] }).met, false);
  t.equal(measure({ scenario: 's', metric: 'm', unit: 'ms', ours: [Number.NaN], limits: [{ atMost: 15 }] }).met, false);
  t.match(formatTable([row]), /80\s+40 – 180\s+100 bare\s+0\.80 ×\s+≥ 80 and ≥ 0\.8 ×\s+yes/);
});

t.test('scenarios that did not run keep their figures; those that are no more lose them', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'hushryd-bench-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'deep', 'latest.json');
  const row = (scenario: string, ours: number) => measure({ scenario, metric: 'm', unit: '1/s', ours: [ours] });
  const stored = async () =>
    (JSON.parse(await readFile(file, 'utf8')) as StoredMeasurement[]).map(({ scenario, ours }) => [scenario, ours]);

  await writeResults({ file, measurements: [row('b', 1), row('gone', 2)], machine, scenarioOrder: ['a', 'b', 'gone'] });
  await writeResults({ file, measurements: [row('a', 3.123456789)], machine, scenarioOrder: ['a', 'b'] });

  t.strictSame(await stored(), [
    ['a', 3.1235],
    ['b', 1],
  ]);
});

t.test('load is raised past the last growth and the best step is the figure', async (t) => {
  const offers: number[] = [];
  const best = await raiseUntilSaturated({
    startAt: 1000,
    measureAt: async (offered) => {
      offers.push(offered);
      return { perSecond: Math.min(offered, 1500), corePercent: offered > 1500 ? 100 : 50 };
    },
  });

  t.strictSame(best, { perSecond: 1500, corePercent: 100 });
  t.strictSame(offers.map(Math.round), [1000, 1300, 1690, 2197, 2856]);
});

t.test('whoever hears a seq of a driver knows which fix it was and when it was due', async (t) => {
  const schedule = { startAtMs: 5, fixesPerSecond: 8333, drivers: 7, fromFix: 0, toFix: 100, seq: firstSeq };
  for (let fix = 0; fix < 100; fix += 1) t.equal(fixOf(schedule, fix % 7, seqOf(schedule, fix)), fix);
  t.equal(dueAtMs(schedule, 8333), 1005);
});

t.test('a loc frame written again is the frame that JSON would make', async (t) => {
  const frame = createLocFrame({ run: 1_763_880_000_000, tripId: 'trip-000001', fixes: 2 });
  const read = () => JSON.parse(frame.bytes.toString('utf8', frame.bytes.indexOf('{')));

  frame.renumber(1_000_041, 1_763_880_000_123);

  t.match(read(), { type: 'loc', run: 1_763_880_000_000, from: firstSeq, tripId: 'trip-000001' });
  t.match(read().fixes, [
    { seq: 1_000_041, recordedAtMs: 1_763_880_000_122, lat: 41.150041 },
    { seq: 1_000_042, recordedAtMs: 1_763_880_000_123, lat: 41.150042 },
  ]);
});
