import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { toJson, writeResults } from './results-file.ts';
import type { RunOutcome } from './run-scenarios.ts';
import type { Scenario, Size } from './scenario.ts';

/**
 * Write what was measured: scenarios with a baseline of their own into `<its name>.json` and `.txt` beside `out`, all others into `out`.
 *
 * @param input.report the text that goes into the `.txt`, below the command line
 * @returns the files
 */
export async function writeFigures(input: {
  outcome: RunOutcome;
  chosen: readonly Scenario[];
  all: readonly Scenario[];
  size: Size;
  report: string;
  commandLine: string;
  out: string;
}): Promise<string[]> {
  const { chosen, outcome, out } = input;
  const { measurements, machine } = outcome;
  const folder = dirname(out);
  const files: string[] = [];
  const own = new Set<string>();
  await mkdir(folder, { recursive: true });
  for (const scenario of chosen) {
    if (scenario.baselineName === undefined) continue;
    own.add(scenario.name);
    const figures = measurements.filter((measurement) => measurement.scenario === scenario.name);
    if (figures.length === 0) continue;
    const file = join(folder, scenario.baselineName(input.size));
    await writeFile(`${file}.json`, toJson(figures.map((figure) => ({ ...figure, machine }))));
    await writeFile(`${file}.txt`, `$ ${input.commandLine}\n\n${input.report}\n`);
    files.push(`${file}.json`, `${file}.txt`);
  }

  const others = measurements.filter(({ scenario }) => !own.has(scenario));
  if (others.length > 0) {
    const scenarioOrder = input.all.map(({ name }) => name);
    await writeResults({ file: out, measurements: others, machine, scenarioOrder });
    files.push(out);
  }
  return files;
}
