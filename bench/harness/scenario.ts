import type { Engines } from './engines.ts';
import type { Measurement } from './measurement.ts';
import type { Progress } from './progress.ts';
import type { Scope } from './scope.ts';

/** What a scenario is given. */
export interface Stage {
  /** What it starts ends here. */
  readonly scope: Scope;
  readonly engines: Engines;
  /** How often ours and its baseline are measured, in turn. */
  readonly rounds: number;
  readonly progress: Progress;
  /** A sentence below the table: what a figure does not say by itself. */
  note(sentence: string): void;
  /** Folder for CPU profiles of the services, where they were asked for. */
  readonly profileDir: string | undefined;
}

export interface Scenario {
  readonly name: string;
  /** One line for `--list`. */
  readonly summary: string;
  /** It is given up after this. */
  readonly maxSeconds: number;
  run(stage: Stage): Promise<Measurement[]>;
}
