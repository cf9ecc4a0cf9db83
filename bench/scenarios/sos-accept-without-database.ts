import { riderId } from '../harness/city.ts';
import { findAlerts } from '../harness/find-alerts.ts';
import { createLatencyHistogram } from '../harness/latency-histogram.ts';
import type { PressCounts, SosLoadCommands } from '../harness/load/sos-load.ts';
import { type Measurement, measure } from '../harness/measurement.ts';
import { startHelper } from '../harness/processes/start-helper.ts';
import type { Stage } from '../harness/scenario.ts';
import { createScope } from '../harness/scope.ts';
import { createSystem } from '../harness/system.ts';

const alerts = 250;
const alertsPerSecond = 50;
const mostMs = 2_500;
const replayedWithinMs = 60_000;
/** What a phone may hear while the database hangs: held by less than a majority, or to try again at once. */
const rightAnswers = new Set(['provisional', 'local', '503']);

/**
 * Alerts while MongoDB hangs: its process is stopped, connections stay open and nothing is answered. Each has its answer within 2.5 s, and once the
 * database goes on it holds all that were acknowledged.
 *
 * Runs on engines of its own and leaves nothing running; Redis is emptied at its end, so nothing else may run beside it.
 */
export async function acceptWithoutDatabase(stage: Stage): Promise<Measurement[]> {
  const scope = createScope((error) => stage.progress(`while ending: ${String(error)}`));
  stage.scope.teardown(() => scope.close());
  try {
    const mongo = await stage.engines.ownMongo(scope);
    const system = await createSystem({ ...stage, scope }, { openMongo: async () => mongo });
    const { port: apiPort } = await system.startApi();
    const presses = await startHelper<SosLoadCommands>(scope, {
      module: new URL('../harness/load/sos-load', import.meta.url),
    });
    const tokens = Array.from({ length: 1 + alerts }, (_, person) => system.issuer.token(riderId(person), 'rider'));
    await presses.call('press', { apiPort, tokens: tokens.slice(0, 1), perSecond: 1 });

    stage.progress(`MongoDB hangs, ${alerts} alerts`);
    mongo.faults.pause();
    const counts = await presses
      .call('press', { apiPort, tokens: tokens.slice(1), perSecond: alertsPerSecond })
      .finally(() => mongo.faults.resume());
    const db = mongo.client.db(mongo.database);
    const { missing } = await findAlerts(db, { alertIds: counts.alertIds, withinMs: replayedWithinMs });
    stage.progress(
      `answered ${JSON.stringify(counts.answers)}, at most ${Math.round(counts.maxMs)} ms, ${missing} missing`,
    );
    return rowsOf(counts, missing);
  } finally {
    await scope.close();
  }
}

function rowsOf(counts: PressCounts, missing: number): Measurement[] {
  const latencies = createLatencyHistogram();
  latencies.add(counts);
  const row = (metric: string, unit: string, ours: number, atMost?: number) =>
    measure({
      scenario: 'sos-accept',
      metric,
      unit,
      ours: [ours],
      limits: atMost === undefined ? [] : [{ atMost }],
    });
  const odd = Object.entries(counts.answers).reduce((sum, [answer, n]) => sum + (rightAnswers.has(answer) ? 0 : n), 0);
  return [
    row('MongoDB hangs: alert due → answered, p99', 'ms', latencies.percentile(0.99)),
    row('… max', 'ms', counts.maxMs, mostMs),
    row('… answers other than 202 and 503', 'alerts', odd, 0),
    row('… acknowledged and not there when it goes on', 'alerts', missing, 0),
  ];
}
