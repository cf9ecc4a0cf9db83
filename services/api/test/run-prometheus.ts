import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installWithApt } from '@hushryd/platform/engines/install-with-apt';
import { freePort } from '@hushryd/platform/engines/ports';
import { runProgram } from '@hushryd/platform/engines/run-program';
import { spawnGuarded } from '@hushryd/platform/engines/spawn-guarded';
import type { TestScope } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';

/** On PATH, or what apt brings as root on Debian or Ubuntu: both programs come together. @returns why there is none; false where there is */
export async function whyNoPrometheus(): Promise<string | false> {
  if (await isThere()) return false;
  const apt = await installWithApt(['prometheus']);
  if (apt.ok && (await isThere())) return false;
  return `No prometheus and promtool were found (${apt.ok ? 'apt brought none' : apt.reason}): put them on PATH.`;
}

async function isThere(): Promise<boolean> {
  const found = await Promise.all(
    ['promtool', 'prometheus'].map((program) => runProgram(program, ['--version'], { timeoutMs: 20_000 })),
  );
  return found.every(({ ok }) => ok);
}

/** A folder of this test, gone at its end. */
export async function newFolder(t: TestScope): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hushryd-prometheus-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** One that scrapes these addresses and looks at these rules once a second, ended with the test. */
export async function startPrometheus(t: TestScope, { rules, targets }: { rules: string; targets: readonly string[] }) {
  const folder = await newFolder(t);
  await writeFile(join(folder, 'alerts.yml'), rules);
  await writeFile(
    join(folder, 'prometheus.json'),
    JSON.stringify({
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: ['alerts.yml'],
      scrape_configs: [{ job_name: 'hushryd', honor_labels: true, static_configs: [{ targets }] }],
    }),
  );
  const port = await freePort();
  const { child, ended } = spawnGuarded({
    argv: [
      'prometheus',
      '--config.file=prometheus.json',
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    cwd: folder,
    logFile: join(folder, 'prometheus.log'),
  });
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const url = `http://127.0.0.1:${port}`;
  await waitFor(async () => (await fetch(`${url}/-/ready`)).ok, {
    withinMs: 30_000,
    what: 'a Prometheus that is ready',
  });
  const ask = async (query: string) => {
    const reply = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(query)}`);
    const { data } = (await reply.json()) as { data: { result: { metric: Record<string, string> }[] } };
    return data.result.map(({ metric }) => metric);
  };
  return {
    /** Of the targets, those that answer. */
    up: async () => (await ask('up == 1')).length,
    /** Names of alarms that ring. */
    firing: async () => [
      ...new Set((await ask('ALERTS{alertstate="firing"}')).map(({ alertname }) => alertname ?? '')),
    ],
  };
}
