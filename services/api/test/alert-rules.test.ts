import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '@hushryd/platform/engines/ports';
import { runProgram } from '@hushryd/platform/engines/run-program';
import { ownMongo, testRedis } from '@hushryd/platform/testing/engines';
import { startService } from '@hushryd/platform/testing/service-process';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { MongoClient } from 'mongodb';
import t from 'tap';
import { parse } from 'yaml';
import { laterSamples, quiet, quietSamples, type RuleCase, ruleCases, sampleSeconds } from './alert-rule-cases.ts';
import { playEmergencies } from './played-emergencies.ts';
import { newFolder, startPrometheus, whyNoPrometheus } from './run-prometheus.ts';
import { createCollections, environmentOf, operator } from './test-api.ts';

// G28: who is woken, and by what. Each rule against figures (promtool), all of them against what running processes export, and incidents on
// running processes under a Prometheus of our own.

const isFull = process.env.HUSHRYD_FULL === '1';
const rulesFile = fileURLToPath(new URL('../../../infra/observability/alerts.yml', import.meta.url));
const rulesText = await readFile(rulesFile, 'utf8');
const { groups } = parse(rulesText) as { groups: { rules: { alert?: string; expr: string }[] }[] };
const rules = groups.flatMap((group) => group.rules);
const skip = await whyNoPrometheus();
const folder = await newFolder(t);

const incidentSeconds = quietSamples * sampleSeconds;
const firing = (alert: string) => `count by () (ALERTS{alertname="${alert}",alertstate="firing"}) > bool 0`;
const one = [{ labels: '{}', value: 1 }];

function seriesOf({ incident }: Pick<RuleCase, 'incident'>) {
  return Object.entries(quiet).map(([series, [start, step]]) => {
    const later = incident[series] ?? `${start + step * quietSamples}+${step}x${laterSamples}`;
    return { series, values: `${start}+${step}x${quietSamples - 1} ${later}` };
  });
}

async function askPromtool(tests: readonly object[]) {
  const file = join(folder, 'tests.json');
  await writeFile(file, JSON.stringify({ rule_files: [rulesFile], evaluation_interval: '5s', tests }));
  const { ok, ...rest } = await runProgram('promtool', ['test', 'rules', file], { timeoutMs: 60_000 });
  return ok ? 'as expected' : JSON.stringify(rest);
}

t.test('every alarm has an incident here', async (t) => {
  const named = new Set(ruleCases.map(({ alert }) => alert));
  t.same([...named].toSorted(), rules.flatMap(({ alert }) => alert ?? []).toSorted());
});

t.test('each rings within a minute of its incident, and not before', { skip }, async (t) => {
  for (const ruleCase of ruleCases) {
    const { alert, incident, withinSeconds = 60 } = ruleCase;
    const said = await askPromtool([
      {
        interval: `${sampleSeconds}s`,
        input_series: seriesOf(ruleCase),
        promql_expr_test: [
          { expr: firing(alert), eval_time: `${incidentSeconds - sampleSeconds}s`, exp_samples: [] },
          { expr: firing(alert), eval_time: `${incidentSeconds + withinSeconds}s`, exp_samples: one },
        ],
      },
    ]);
    t.equal(said, 'as expected', `${alert}: ${Object.keys(incident).join(', ')}`);
  }
});

t.test('in a quiet time none rings; the checker sees one that does', { skip }, async (t) => {
  const any = 'ALERTS{alertstate="firing"}';
  const quietly = (incident: RuleCase['incident']) =>
    askPromtool([
      {
        interval: `${sampleSeconds}s`,
        input_series: seriesOf({ incident }),
        promql_expr_test: Array.from({ length: 20 }, (_, minute) => ({
          expr: any,
          eval_time: `${minute + 1}m`,
          exp_samples: [],
        })),
      },
    ]);

  t.equal(await quietly({}), 'as expected');
  t.not(await quietly({ sos_unpersisted_notify: `1x${laterSamples}` }), 'as expected');
});

/** Names in an expression that are no words of PromQL, and no record of ours. */
function metricsOf(expr: string): string[] {
  const bare = expr.replaceAll(/"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(by|without) \([^)]*\)|offset \w+/g, ' ');
  const words = new Set(['sum', 'max', 'min', 'abs', 'absent', 'increase', 'rate', 'histogram_quantile', 'and', 'or']);
  return (bare.match(/[a-z_][a-z0-9_:]*/g) ?? []).filter((name) => !words.has(name) && !name.includes(':'));
}

/** As in alerts.yml, at a pace at which a test can wait for it. */
const quickened = rulesText
  .replaceAll(/\[(\d+)([mh])\]/g, (_, count: string, unit: string) => `[${Number(count) * (unit === 'm' ? 3 : 180)}s]`)
  .replace('offset 1m', 'offset 5s')
  .replace('sos_unacked_age) > 35', 'sos_unacked_age) > 10')
  .replace('age_seconds) > 120', 'age_seconds) > 12')
  .replaceAll(/for: \d+[sm]/g, 'for: 2s');
const ringsWithin = { withinMs: 60_000 };
const settlesWithin = { withinMs: 90_000 };

t.test('on running processes', { timeout: 600_000 }, async (t) => {
  const mongo = await ownMongo(t);
  const client = new MongoClient(mongo.url);
  t.teardown(() => client.close());
  const db = client.db('alarms');
  await createCollections(db);
  const redis = await testRedis(t);
  const emergencies = await playEmergencies(t, {
    db,
    environment: {
      ...environmentOf({ redis, mongo: { url: mongo.url, database: db.databaseName } }),
      SOS_CANARY_TO: '+15555550199',
      SOS_CANARY_EVERY_MS: '3000',
      SOS_CANARY_WITHIN_MS: '3000',
    },
  });
  const { api, sandbox } = emergencies;
  const start = async (name: 'worker' | 'realtime', ready: string, env: Record<string, string>) => {
    const METRICS_PORT = String(await freePort());
    const main = fileURLToPath(new URL(`../../${name}/dist/main.js`, import.meta.url));
    await startService(t, { name, main, env: { ...env, METRICS_PORT }, ready, readyWithinMs: 60_000 });
    return `127.0.0.1:${METRICS_PORT}`;
  };
  const targets = [
    new URL(api.metricsUrl).host,
    await start('worker', 'ready', emergencies.workerEnvironment),
    await start('realtime', 'listening', {
      ...emergencies.environment,
      PORT: '0',
      INTERNAL_API_URLS: api.internalUrl,
    }),
  ];

  await t.test('every name in a rule is exported, and what an alarm counts is there before it happens', async (t) => {
    const texts = await Promise.all(targets.map(async (target) => (await fetch(`http://${target}/metrics`)).text()));
    const series = texts
      .join('\n')
      .split('\n')
      .filter((line) => !line.startsWith('#'));
    const names = new Set(series.map((line) => /^[a-z_]+/.exec(line)?.[0]));
    const missing = rules.flatMap(({ expr }) => metricsOf(expr)).filter((name) => !names.has(name));
    t.same([...new Set(missing)], []);
    for (const name of ['sos_unpersisted_notify', 'sos_unacked_age', 'outbox_oldest_age', 'sos_nobody_on_call_total']) {
      t.ok(
        series.some((line) => line.startsWith(`${name}{`)),
        name,
      );
    }
  });

  await t.test('incidents', { skip: skip || (!isFull && 'in the full set: npm run test:faults') }, async (t) => {
    const prometheus = await startPrometheus(t, { rules: quickened, targets });
    const rings = (alert: string) =>
      waitFor(async () => (await prometheus.firing()).includes(alert), { ...ringsWithin, what: `${alert} to ring` });
    const isQuiet = () =>
      waitFor(async () => (await prometheus.firing()).length === 0, { ...settlesWithin, what: 'nothing that rings' });
    await waitFor(async () => (await prometheus.up()) === 3, { withinMs: 30_000, what: 'three processes that answer' });
    await isQuiet();

    await t.test('twenty quiet seconds, with canaries', async (t) => {
      const untilMs = performance.now() + 20_000;
      const rung = new Set<string>();
      while (performance.now() < untilMs) {
        for (const alert of await prometheus.firing()) rung.add(alert);
        await sleep(500);
      }
      t.same([...rung], []);
    });

    await t.test('nobody acknowledges, and nobody is on call', async (t) => {
      const [person] = await emergencies.newPeople(1);
      if (person === undefined) return;
      await emergencies.raiseAt(api.url, person);
      await rings('SosUnacknowledged');
      await rings('SosNobodyOnCall');
      await api.call(`POST /v1/sos/${person.alertId}/acknowledge`, { as: operator, body: {} });
      await isQuiet();
      t.pass();
    });

    await t.test('a company takes texts and delivers none', async (t) => {
      sandbox.faults.set({ provider: 'twilio-sms', mode: 'accepted-then-silent' });
      await rings('ReceiptsMissing');
      sandbox.faults.clear();
      await isQuiet();
      t.pass();
    });

    await t.test('no company takes anything', async (t) => {
      for (const provider of ['twilio-sms', 'msg91'] as const) sandbox.faults.set({ provider, mode: '500' });
      await rings('SosCanaryMissing');
      sandbox.faults.clear();
      await isQuiet();
      t.pass();
    });

    await t.test('MongoDB hangs, and somebody presses', async (t) => {
      const people = await emergencies.newPeople(1);
      mongo.faults.pause();
      await Promise.all(people.map((person) => emergencies.raiseAt(api.url, person)));
      await rings('SosHeldOutsideMongo');
      mongo.faults.resume();
      t.pass();
    });
  });
});
