import type { Engines } from './engines.ts';
import type { Measurement } from './measurement.ts';
import type { Progress } from './progress.ts';
import type { Scope } from './scope.ts';

export interface Size {
  readonly sockets: number | undefined;
  readonly alerts: number | undefined;
  readonly withWorker: boolean;
}

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
  /** What the command line says of sizes; scenarios that leave nothing open do not look. */
  readonly size: Size;
}

export interface Scenario {
  readonly name: string;
  /** One line for `--list`. */
  readonly summary: string;
  /** It is given up after this. */
  readonly maxSeconds: number;
  /** Too long for a run of everything: it runs when it is named. */
  readonly isOnlyByName?: boolean;
  /** Its figures go into files of their own, `<name>.json` and `<name>.txt`: each size is a baseline by itself. */
  baselineName?(size: Size): string;
  run(stage: Stage): Promise<Measurement[]>;
}
