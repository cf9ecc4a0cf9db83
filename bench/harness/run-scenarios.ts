import { createEngines } from './engines.ts';
import { describeMachine, type Machine } from './machine.ts';
import type { Measurement } from './measurement.ts';
import { createProgress } from './progress.ts';
import type { Scenario, Size } from './scenario.ts';
import { type ClosableScope, createScope } from './scope.ts';

export interface RunOutcome {
  readonly measurements: Measurement[];
  /** Sentences below the table. */
  readonly notes: string[];
  /** One sentence for each scenario that gave no figures. */
  readonly failures: string[];
  readonly machine: Machine;
}

/** One scenario after another; one that fails does not keep the others from being measured. */
export async function runScenarios({
  scenarios,
  rounds,
  size,
  profileDir,
  runScope,
}: {
  scenarios: readonly Scenario[];
  rounds: number;
  size: Size;
  profileDir: string | undefined;
  runScope: ClosableScope;
}): Promise<RunOutcome> {
  const engines = createEngines(runScope, createProgress('engines'));
  const measurements: Measurement[] = [];
  const notes: string[] = [];
  const failures: string[] = [];

  for (const scenario of scenarios) {
    const progress = createProgress(scenario.name);
    progress(scenario.summary);
    const scope = createScope((error) => progress(`while ending: ${sentenceOf(error)}`));
    runScope.teardown(() => scope.close());
    try {
      const note = (sentence: string) => notes.push(`${scenario.name}: ${sentence}`);
      const run = scenario.run({ scope, engines, rounds, size, progress, note, profileDir });
      measurements.push(...(await atMost(run, scenario.maxSeconds)));
    } catch (error) {
      failures.push(`${scenario.name} gave no figures: ${sentenceOf(error)}`);
      progress(`failed: ${error instanceof Error ? error.stack : String(error)}`);
    } finally {
      await scope.close();
    }
  }
  return { measurements, notes, failures, machine: describeMachine(engines.used) };
}

async function atMost<T>(work: Promise<T>, seconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it was given up after ${seconds} s`)), seconds * 1000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    // Given up, it fails on what its scope took away; that is no news.
    work.catch(() => undefined);
  }
}

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
