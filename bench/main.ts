import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { dataRoot } from '@hushryd/platform/engines/data-root';
import { warnWhenBusy } from './harness/machine.ts';
import { helpText, type Options, parseOptions, UsageError } from './harness/options.ts';
import { formatTable } from './harness/print-table.ts';
import { latestFile, writeResults } from './harness/results-file.ts';
import { runScenarios } from './harness/run-scenarios.ts';
import type { Scenario } from './harness/scenario.ts';
import { createScope } from './harness/scope.ts';
import { scenarios } from './scenarios/all.ts';

try {
  const options = parseOptions(process.argv.slice(2), latestFile());
  if (options.wants === 'help') process.stdout.write(helpText);
  else if (options.wants === 'list')
    for (const { name, summary } of scenarios) console.log(`${name.padEnd(16)} ${summary}`);
  else await run(options, choose(options.names));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message} See pnpm bench --help.`);
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

  const outcome = await runScenarios({ scenarios: chosen, rounds: options.rounds, profileDir, runScope });
  await runScope.close();

  console.log(`\n${formatTable(outcome.measurements)}\n`);
  for (const sentence of [...outcome.notes, ...outcome.failures]) console.log(sentence);
  if (warning !== undefined) console.log(warning);
  const { cores, node, redis, database } = outcome.machine;
  console.log(
    `${cores} cores, Node ${node}, ${[redis, database].filter(Boolean).join(', ')}; medians of ${options.rounds} rounds.`,
  );
  if (options.out !== undefined && outcome.measurements.length > 0) {
    const { measurements, machine } = outcome;
    await writeResults({ file: options.out, measurements, machine, scenarioOrder: scenarios.map(({ name }) => name) });
    console.log(`Written to ${options.out}.`);
  }
  const isGood = outcome.failures.length === 0 && outcome.measurements.every(({ met }) => met !== false);
  process.exit(isGood ? 0 : 1);
}

/** Scenarios by name, or by how their names begin. @throws UsageError for a name that no scenario has */
function choose(names: readonly string[]): readonly Scenario[] {
  if (names.length === 0) return scenarios;
  const chosen = new Set(names.flatMap((name) => find(name)));
  return scenarios.filter((scenario) => chosen.has(scenario));
}

function find(name: string): readonly Scenario[] {
  const exact = scenarios.filter((scenario) => scenario.name === name);
  const found = exact.length > 0 ? exact : scenarios.filter((scenario) => scenario.name.startsWith(name));
  if (found.length > 0) return found;
  throw new UsageError(`There is no scenario "${name}": use ${scenarios.map((scenario) => scenario.name).join(', ')}.`);
}
