import { alertsCollection } from '@hushryd/outreach/alerts/alert-document';
import { freePort } from '@hushryd/platform/engines/ports';
import { deadline } from '@hushryd/platform/mongo/deadline';
import type { Document } from 'mongodb';
import { riderId } from '../harness/city.ts';
import { type CityLoad, type CityRates, type CitySample, openCityLoad } from '../harness/city-load.ts';
import type { BareInsertCommands } from '../harness/contenders/bare-insert.ts';
import type { BenchMongo } from '../harness/engines.ts';
import { findAlerts } from '../harness/find-alerts.ts';
import { interleave } from '../harness/interleave.ts';
import { createLatencyHistogram, type LatencyHistogram } from '../harness/latency-histogram.ts';
import { openLiveRedis } from '../harness/live-redis.ts';
import { monotonicMs } from '../harness/load/monotonic.ts';
import type { SosLoadCommands } from '../harness/load/sos-load.ts';
import type { TimedSends } from '../harness/load/timed-sends.ts';
import { type Limit, type Measurement, measure } from '../harness/measurement.ts';
import { formatNumber } from '../harness/print-table.ts';
import { type Buckets, bucketsSince, percentileOf, readBucketsOf } from '../harness/processes/read-metric.ts';
import { type HelperProcess, startHelper } from '../harness/processes/start-helper.ts';
import { startSandbox } from '../harness/processes/start-sandbox.ts';
import type { Scenario, Stage } from '../harness/scenario.ts';
import { startTrips } from '../harness/start-trips.ts';
import { createSystem, type System } from '../harness/system.ts';
import { acceptWithoutDatabase } from './sos-accept-without-database.ts';

const name = 'sos-accept';
const usualPhones = 5_000;
/** Of 5,000 phones; fewer send as often each. */
const fixesPerSecond = 8_333;
const requestsPerSecond = 200;
const usualAlertsPerSecond = 50;
const warmUpSeconds = 3;
const windowSeconds = 60;
/** With operators and the incident these make four entries of the outbox; so does an alert whose contacts could not be read in time. */
const channels = ['sms', 'whatsapp'] as const;

/** Of the services: from a press until it is persisted and announced, and until the first provider is asked. */
const histograms = ['sos_processing_seconds', 'sos_first_attempt_seconds'];

const ceiling = { inFlight: 16, seconds: 6, mostPresses: 1_000 };
/** What only the journal holds is brought to a database that is behind as fast as that takes it. */
const replayedWithinMs = 120_000;

interface Sample {
  readonly sends: TimedSends;
  readonly city: CitySample;
}

interface OwnSample extends Sample {
  readonly answers: Readonly<Record<string, number>>;
  readonly missing: number;
  readonly withoutContacts: number;
  readonly processing: Buckets;
  readonly firstAttempts: Buckets;
}

/**
 * Calls for help beside an ordinary hour: 50 a second for a minute, each of another person and with four entries in its outbox, while 5,000 phones
 * send 8,333 fixes/s and people make 200 requests/s, with api, realtime, worker and the outside companies running. The baseline stores documents of
 * the same size by `insertOne`, with the same write concern, at the same rate beside the same load.
 */
export const sosAccept: Scenario = {
  name,
  summary:
    'alerts accepted at 50/s beside 8,333 fixes/s and 200 requests/s, against bare insertOne; and without MongoDB',
  maxSeconds: 840,
  isOnlyByName: true,
  baselineName: ({ sockets = usualPhones, alerts = usualAlertsPerSecond }) =>
    [
      name,
      ...(sockets === usualPhones ? [] : [sockets]),
      ...(alerts === usualAlertsPerSecond ? [] : [`${alerts}ps`]),
    ].join('-'),
  async run(stage) {
    const withoutDatabase = await acceptWithoutDatabase(stage);
    const parts = await openParts(stage);
    const samples = await interleave<'ours' | 'insertOne', Sample | OwnSample>({
      rounds: stage.rounds,
      progress: stage.progress,
      contenders: { ours: () => pressOnSchedule(parts), insertOne: () => insertOnSchedule(parts) },
      describe: describeSample,
    });
    const ceilings = await interleave({
      rounds: stage.rounds,
      progress: stage.progress,
      contenders: { ours: () => pressSaturated(parts), insertOne: () => insertSaturated(parts) },
      describe: (perSecond) => `${formatNumber(perSecond)}/s`,
    });
    const ours = samples.ours as OwnSample[];
    noteLoad(stage, [...ours, ...samples.insertOne], ours);
    return [
      ...rowsOf(ours, samples.insertOne),
      ceilingRow(ceilings),
      besideRow(ours, samples.insertOne, ratesOf(stage).fixesPerSecond),
      ...withoutDatabase,
    ];
  },
};

interface Parts {
  readonly alerts: Alerts;
  readonly apiPort: number;
  /** Of api and worker: either may send. */
  readonly metricsPorts: readonly number[];
  readonly mongo: BenchMongo;
  readonly city: CityLoad;
  readonly presses: HelperProcess<SosLoadCommands>;
  readonly bare: HelperProcess<BareInsertCommands>;
  /** Tokens of people who have a contact and have not pressed yet. */
  takePeople(count: number): readonly string[];
}

function ratesOf({ size: { sockets: phones = usualPhones } }: Stage): CityRates {
  return { phones, fixesPerSecond: (fixesPerSecond * phones) / usualPhones, requestsPerSecond };
}

/** Alerts of a round, those of the warm-up among them. */
interface Alerts {
  readonly perSecond: number;
  readonly uncounted: number;
  readonly count: number;
}

function alertsOfARound({ size: { alerts: perSecond = usualAlertsPerSecond } }: Stage): Alerts {
  const uncounted = warmUpSeconds * perSecond;
  return { perSecond, uncounted, count: uncounted + windowSeconds * perSecond };
}

async function openParts(stage: Stage): Promise<Parts> {
  const { scope, engines, profileDir, progress, rounds } = stage;
  const mongo = await engines.syncedMongo(scope);
  const system = await createSystem(stage, { openMongo: async () => mongo });
  const rates = ratesOf(stage);
  await startTrips(await openLiveRedis(scope, system.redis), rates.phones);
  const metricsPorts = [await freePort(), await freePort()];
  const [apiMetrics, workerMetrics] = metricsPorts.map((port) => ({ METRICS_PORT: String(port) }));
  const { environment } = await startSandbox(scope, { profileDir });
  const [api, realtime] = await Promise.all([
    system.startApi(scope, { ...environment, ...apiMetrics }),
    system.startRealtime(),
    system.startWorker(scope, { ...environment, ...workerMetrics }),
  ]);
  progress(`${rates.phones.toLocaleString('en')} phones connect`);
  const city = await openCityLoad({
    scope,
    system,
    realtimePort: realtime.port,
    apiPort: api.port,
    ...rates,
  });
  const presses = await startHelper<SosLoadCommands>(scope, {
    module: new URL('../harness/load/sos-load', import.meta.url),
  });
  const bare = await startHelper<BareInsertCommands>(scope, {
    module: new URL('../harness/contenders/bare-insert', import.meta.url),
  });
  progress('people name their contacts');
  const alerts = alertsOfARound(stage);
  const people = makePeople(system, 1 + rounds * (alerts.count + ceiling.mostPresses));
  await presses.call('addContacts', { apiPort: api.port, tokens: people, channels: [...channels] });
  const parts = {
    ...{ alerts, apiPort: api.port, metricsPorts, mongo, city, presses, bare },
    takePeople: (count: number) => people.splice(0, count),
  };
  await bare.call('open', { ...mongoPlace(mongo), document: await oneAlert(parts) });
  progress('ready to measure');
  return parts;
}

const mongoPlace = ({ url, database }: BenchMongo) => ({ url, database });

/** Riders beside those of the trips. */
const makePeople = ({ issuer }: System, count: number): string[] =>
  Array.from({ length: count }, (_, person) => issuer.token(riderId(100_000 + person), 'rider'));

/** What an alert is as a document. */
async function oneAlert({
  apiPort,
  mongo,
  presses,
  takePeople,
}: Omit<Parts, 'alerts' | 'bare' | 'city'>): Promise<Document> {
  const { answers, alertIds } = await presses.call('press', { apiPort, tokens: takePeople(1), perSecond: 1 });
  const [alert] = await alertsOf(mongo)
    .find({ _id: alertIds[0] as never }, deadline(5_000))
    .toArray();
  if (alert === undefined) throw new Error(`a first alert was answered ${JSON.stringify(answers)} and is not stored`);
  return alert;
}

const alertsOf = ({ client, database }: BenchMongo) => client.db(database).collection(alertsCollection.name);

async function pressOnSchedule(parts: Parts): Promise<OwnSample> {
  const { alerts, city, presses, apiPort, metricsPorts, mongo } = parts;
  const { count, ...pace } = alerts;
  const tokens = parts.takePeople(count);
  const readAll = () => Promise.all(histograms.map((histogram) => readBucketsOf(metricsPorts, histogram)));
  const before = await readAll();
  const { result, city: sample } = await city.beside(warmUpSeconds + windowSeconds, () =>
    presses.call('press', { apiPort, tokens, ...pace }),
  );
  const { answers, alertIds, ...sends } = result;
  const db = mongo.client.db(mongo.database);
  const stored = await findAlerts(db, { alertIds, withinMs: replayedWithinMs });
  const after = await readAll();
  await removeAlerts(mongo);
  const [processing = [], firstAttempts = []] = after.map((buckets, nth) => bucketsSince(before[nth] ?? [], buckets));
  return { sends, city: sample, answers, ...stored, processing, firstAttempts };
}

/** Rounds begin alike, and no alert of one is escalated in the next. */
async function removeAlerts(mongo: BenchMongo): Promise<void> {
  await alertsOf(mongo).deleteMany({}, deadline(60_000));
}

async function insertOnSchedule({ alerts, city, bare }: Parts): Promise<Sample> {
  const { result, city: sample } = await city.beside(warmUpSeconds + windowSeconds, () => bare.call('insert', alerts));
  return { sends: result, city: sample };
}

/** Also those that were answered by the journal, since the database took too long, and were brought to it meanwhile. */
async function pressSaturated({ city, presses, apiPort, mongo, takePeople }: Parts): Promise<number> {
  const { inFlight, seconds, mostPresses } = ceiling;
  const tokens = takePeople(mostPresses);
  const { result: perSecond } = await city.beside(seconds, async () => {
    const startMs = monotonicMs();
    const { alertIds } = await presses.call('saturate', { apiPort, tokens, inFlight, seconds });
    const elapsedMs = monotonicMs() - startMs;
    const stored = await alertsOf(mongo).countDocuments({}, deadline(30_000));
    // What is still in the journal would come into the next round.
    await findAlerts(mongo.client.db(mongo.database), { alertIds, withinMs: replayedWithinMs });
    return (stored * 1_000) / elapsedMs;
  });
  await removeAlerts(mongo);
  return perSecond;
}

async function insertSaturated({ city, bare }: Parts): Promise<number> {
  const { inFlight, seconds } = ceiling;
  const { result } = await city.beside(seconds, () => bare.call('saturate', { inFlight, seconds }));
  return result;
}

function rowsOf(ours: readonly OwnSample[], bare: readonly Sample[]): Measurement[] {
  const latency = (metric: string, read: (latencies: LatencyHistogram) => number, limits: readonly Limit[] = []) => {
    const of = (samples: readonly Sample[]) => samples.map(({ sends }) => read(histogramOf(sends)));
    return row(metric, 'ms', of(ours), { limits, baseline: { name: 'bare insertOne', samples: of(bare) } });
  };
  const within = (metric: string, read: (sample: OwnSample) => Buckets, atMost: number) =>
    row(
      metric,
      'ms',
      ours.map((sample) => percentileOf(read(sample), 0.99) * 1_000),
      { limits: [{ atMost }] },
    );
  const count = (metric: string, read: (sample: OwnSample) => number, limits: readonly Limit[] = []) =>
    // Added up over all rounds: a median would pass over a round that lost something.
    row(metric, 'alerts', [ours.reduce((sum, sample) => sum + read(sample), 0)], { limits });
  const none: readonly Limit[] = [{ atMost: 0 }];
  return [
    latency('alert due → answered, p50', (latencies) => latencies.percentile(0.5)),
    latency('… p99', (latencies) => latencies.percentile(0.99), [{ atMost: 150 }]),
    latency('… p99.9', (latencies) => latencies.percentile(0.999)),
    latency('… max', ({ maxMs }) => maxMs),
    within('received → persisted and announced, p99 within', ({ processing }) => processing, 500),
    ...(ours.every(({ firstAttempts }) => (firstAttempts.at(-1)?.count ?? 0) > 0)
      ? [within('received → first provider asked, p99 within', ({ firstAttempts }) => firstAttempts, 1_000)]
      : []),
    count('alerts acknowledged and not persisted', ({ missing }) => missing, none),
    count('alerts not acknowledged', ({ answers }) => notAcknowledged(answers), none),
    count(
      'alerts acknowledged with less than a majority',
      ({ answers }) => (answers.local ?? 0) + (answers.provisional ?? 0),
    ),
  ];
}

function row(
  metric: string,
  unit: string,
  ours: readonly number[],
  more: Pick<Parameters<typeof measure>[0], 'limits' | 'baseline'> = {},
): Measurement {
  return measure({ scenario: name, metric, unit, ours, ...more });
}

/** A machine that does not carry the load gives figures about another one. */
const besideRow = (ours: readonly Sample[], bare: readonly Sample[], offered: number): Measurement => {
  const of = (samples: readonly Sample[]) => samples.map(({ city }) => city.fixesPerSecond);
  return row(`beside it fixes acknowledged, of ${formatNumber(offered)}`, '1/s', of(ours), {
    baseline: { name: 'bare insertOne', samples: of(bare) },
    limits: [{ atLeast: Math.floor(offered * 0.99) }],
  });
};

const ceilingRow = ({ ours, insertOne }: { ours: number[]; insertOne: number[] }): Measurement =>
  row(`alerts stored, ${ceiling.inFlight} at a time`, '1/s', ours, {
    baseline: { name: 'bare insertOne', samples: insertOne },
  });

const taken = new Set(['majority', 'provisional', 'local']);

const notAcknowledged = (answers: OwnSample['answers']): number =>
  Object.entries(answers).reduce((sum, [answer, count]) => sum + (taken.has(answer) ? 0 : count), 0);

function histogramOf(sends: TimedSends): LatencyHistogram {
  const latencies = createLatencyHistogram();
  latencies.add(sends);
  return latencies;
}

function noteLoad({ note }: Stage, all: readonly Sample[], ours: readonly OwnSample[]): void {
  const late = Math.max(...all.map(({ city }) => city.fixesLateMs));
  const refused = all.reduce((sum, { city }) => sum + city.framesRefused, 0);
  const slowest = Math.max(...all.map(({ city }) => city.requests.p99Ms));
  const failures = all.reduce((sum, { city }) => sum + city.requests.failures, 0);
  note(
    `beside it, in all rounds, ${formatNumber(refused)} fixes were refused, and a due one waited ${formatNumber(late)} ms at most for its phone; ` +
      `requests took ${formatNumber(slowest)} ms (p99), ${failures} failed.`,
  );
  const without = ours.reduce((sum, { withoutContacts }) => sum + withoutContacts, 0);
  note(`${without} alerts were written before their contacts could be read, with an entry that adds them.`);
}

function describeSample(sample: Sample | OwnSample): string {
  const latencies = histogramOf(sample.sends);
  const parts = [
    `p50 ${formatNumber(latencies.percentile(0.5))} ms`,
    `p99 ${formatNumber(latencies.percentile(0.99))} ms`,
    `max ${formatNumber(latencies.maxMs)} ms`,
    `sender late by ${formatNumber(sample.sends.latestMs)} ms`,
    `beside ${formatNumber(sample.city.fixesPerSecond)} fixes/s (late by ${formatNumber(sample.city.fixesLateMs)} ms)`,
    `requests p99 ${formatNumber(sample.city.requests.p99Ms)} ms, ${sample.city.requests.failures} failed`,
  ];
  if ('answers' in sample) {
    parts.push(JSON.stringify(sample.answers), `${sample.missing} missing, ${sample.withoutContacts} without contacts`);
    parts.push(`processing p99 within ${percentileOf(sample.processing, 0.99) * 1000} ms`);
  }
  return parts.join(', ');
}
