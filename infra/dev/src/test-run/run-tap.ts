import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runChild } from './run-child.ts';
import { createTapReader, type FileResult, type Totals } from './tap-reader.ts';

export interface TapRun {
  readonly exitCode: number;
  /** Absent when tap did not come to its end. */
  readonly totals: Totals | undefined;
  readonly files: readonly FileResult[];
  /** The last lines that tests wrote to stderr: what a test file that crashed leaves behind. */
  readonly lastErrorLines: readonly string[];
  /** Of files that were run once more: how the first run of them failed. */
  readonly firstFailures?: readonly FileResult[];
}

const keptErrorLines = 60;

/**
 * Runs test files with tap; all of it is kept in `.hushryd/logs/tests.tap`.
 *
 * @param input.files test files; none means all
 * @param input.exclude test files that are not run, where all are
 * @param input.jobs files at a time
 * @param input.env variables for the tests, added to ours
 * @param input.onFile called as each file ends
 */
export async function runTap(input: {
  rootDir: string;
  files: readonly string[];
  exclude: readonly string[];
  jobs: number;
  env: Record<string, string | undefined>;
  signal: AbortSignal;
  onFile: (result: FileResult) => void;
}): Promise<TapRun> {
  const { rootDir, signal } = input;
  const files: FileResult[] = [];
  const lastErrorLines: string[] = [];
  const reader = createTapReader((result) => {
    files.push(result);
    input.onFile(result);
  });
  const logsDir = join(rootDir, '.hushryd/logs');
  mkdirSync(logsDir, { recursive: true });
  const log = createWriteStream(join(logsDir, input.jobs === 1 ? 'tests-again.tap' : 'tests.tap'));

  const exitCode = await runChild({
    command: join(rootDir, 'node_modules/.bin/tap'),
    args: [
      '--reporter=tap',
      `--jobs=${input.jobs}`,
      ...input.exclude.map((file) => `--exclude=${file}`),
      ...input.files,
    ],
    cwd: rootDir,
    env: { ...process.env, ...input.env },
    signal,
    onLine: (line) => {
      log.write(`${line}\n`);
      reader.line(line);
    },
    onErrorLine: (line) => {
      log.write(`${line}\n`);
      lastErrorLines.push(line);
      if (lastErrorLines.length > keptErrorLines) lastErrorLines.shift();
    },
  });
  await new Promise<void>((resolve) => log.end(resolve));
  return { exitCode, totals: reader.totals(), files, lastErrorLines };
}
