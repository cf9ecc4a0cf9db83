import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { dataRoot } from '@hushryd/platform/engines/data-root';
import { warnWhenBusy } from './harness/machine.ts';
import { helpText, type Options, parseOptions, UsageError } from './harness/options.ts';
import { formatReport } from './harness/print-report.ts';
import { latestFile } from './harness/results-file.ts';
import { runScenarios } from './harness/run-scenarios.ts';
import type { Scenario } from './harness/scenario.ts';
import { createScope } from './harness/scope.ts';
import { writeFigures } from './harness/write-figures.ts';
import { scenarios } from './scenarios/all.ts';

try {
  const options = parseOptions(process.argv.slice(2), latestFile());
  if (options.wants === 'help') process.stdout.write(helpText);
  else if (options.wants === 'list') for (const scenario of scenarios) console.log(describe(scenario));
  else await run(options, choose(options.names));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message} See npm run bench -- --help.`);
  process.exitCode = 2;
}

async function run(options: Options, chosen: readonly Scenario[]): Promise<void> {
  const warning = warnWhenBusy();
  if (warning !== undefined) console.error(warning);
  const profileDir = options.isProfiling ? join(dataRoot(), 'profiles') : undefined;
  if (profileDir !== undefined) await mkdir(profileDir, { recursive: true });

  const runScope = createScope((error) => console.error(error));
  const stop = async () => {
    console.error('Stopping …');
    await runScope.close();
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);

  const size = { sockets: options.sockets, alerts: options.alerts, withWorker: options.withWorker };
  const outcome = await runScenarios({ scenarios: chosen, rounds: options.rounds, size, profileDir, runScope });
  await runScope.close();

  const report = formatReport({ ...outcome, rounds: options.rounds, warning });
  console.log(`\n${report}`);
  if (options.out !== undefined && outcome.measurements.length > 0) {
    const commandLine = ['npm run bench --', ...process.argv.slice(2)].join(' ');
    const written = await writeFigures({
      outcome,
      chosen,
      all: scenarios,
      size,
      report,
      commandLine,
      out: options.out,
    });
    console.log(`Written to ${written.join(', ')}.`);
  }
  const isGood = outcome.failures.length === 0 && outcome.measurements.every(({ met }) => met !== false);
  process.exit(isGood ? 0 : 1);
}

function describe({ name, summary, isOnlyByName }: Scenario): string {
  return `${name.padEnd(16)} ${summary}${isOnlyByName ? ' (runs when it is named)' : ''}`;
}

/** Scenarios by name, or by how their names begin. @throws UsageError for a name that no scenario has */
function choose(names: readonly string[]): readonly Scenario[] {
  if (names.length === 0) return scenarios.filter(({ isOnlyByName }) => !isOnlyByName);
  const chosen = new Set(names.flatMap((name) => find(name)));
  return scenarios.filter((scenario) => chosen.has(scenario));
}

function find(name: string): readonly Scenario[] {
  const exact = scenarios.filter((scenario) => scenario.name === name);
  const found = exact.length > 0 ? exact : scenarios.filter((scenario) => scenario.name.startsWith(name));
  if (found.length > 0) return found;
  throw new UsageError(`There is no scenario "${name}": use ${scenarios.map((scenario) => scenario.name).join(', ')}.`);
}
