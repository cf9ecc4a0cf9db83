import type { TapRun } from './run-tap.ts';
import type { FileResult, TestSkip } from './tap-reader.ts';

// Of a file that failed as a whole tap also tells the command line, which helps nobody.
const howItEnded = /^(?:exitCode|signal|expired|reason|error):/;

/** A test file that was not run, and the command that runs it. */
export interface LeftOut {
  readonly file: string;
  readonly command: string;
}

/** What the run says at its end, and whether all is well. */
export interface Summary {
  readonly lines: readonly string[];
  readonly isOk: boolean;
}

/**
 * The end of a test run for a person: what failed and how, what was skipped and why, and as the last line
 * `N passed, N failed`. The numbers are tap's; a check that failed (build, types, lint, import rules) counts as one failure
 * more, and so does a run that tap did not bring to its end, so that "0 failed" always means success.
 */
export function summarise(input: {
  run: TapRun;
  failedChecks: readonly string[];
  leftOut?: readonly LeftOut[];
}): Summary {
  const { run, failedChecks, leftOut = [] } = input;
  const didNotEnd = run.totals === undefined || (run.exitCode !== 0 && run.totals.fail === 0);
  const passed = run.totals?.pass ?? 0;
  const failed = (run.totals?.fail ?? 0) + failedChecks.length + (didNotEnd ? 1 : 0);

  return {
    isOk: failed === 0,
    lines: [
      ...run.files.filter((file) => !file.isOk).flatMap((file) => describeFailures(file, run.lastErrorLines)),
      ...describeFirstFailures(run),
      ...describeSkips(run.files),
      ...describeLeftOut(leftOut),
      ...(didNotEnd ? ['', `tap did not come to its end (exit code ${run.exitCode}).`, ...run.lastErrorLines] : []),
      ...(failedChecks.length > 0 ? ['', `Failed checks: ${failedChecks.join(', ')}`] : []),
      '',
      `${passed} passed, ${failed} failed`,
    ],
  };
}

/** One line as a file ends. */
export function describeFile(result: FileResult): string {
  const seconds = (result.durationMs / 1000).toFixed(1);
  const skipped = result.skips.length > 0 ? `, ${result.skips.length} skipped` : '';
  const failed = result.isOk ? '' : `, ${Math.max(1, result.failures.length)} failed`;
  return `  ${result.isOk ? 'ok    ' : 'FAILED'} ${result.file} (${result.passed} passed${failed}${skipped}, ${seconds} s)`;
}

function describeFailures(file: FileResult, lastErrorLines: readonly string[]): string[] {
  const hasCrashed = file.failures.every((failure) => failure.path.length === 0);
  return [
    '',
    `FAILED ${file.file}`,
    ...file.failures.flatMap(({ path, diagnostics }) => [
      `  ${path.join(' › ') || 'the file as a whole'}`,
      ...indent(path.length > 0 ? diagnostics : diagnostics.filter((line) => howItEnded.test(line))),
    ]),
    // With two files at a time these lines may belong to the other one; better too many than none.
    ...(hasCrashed ? ['  what tests wrote to stderr last:', ...indent(lastErrorLines)] : []),
  ];
}

/** Not hidden: whoever looks into it finds the first failure in `.hushryd/logs/tests.tap`. */
function describeFirstFailures({ files, firstFailures = [] }: TapRun): string[] {
  const mended = firstFailures.filter(({ file }) => files.some((one) => one.file === file && one.isOk));
  if (mended.length === 0) return [];
  const lines = mended.flatMap(({ file, failures }) => failures.map(({ path }) => `  ${file}: ${path.join(' › ')}`));
  return ['', `Passed only when run again, alone (${mended.length}):`, ...lines];
}

function describeSkips(files: readonly FileResult[]): string[] {
  const skips = files.flatMap((file) => file.skips.map((skip) => `  ${file.file}: ${describeSkip(skip)}`));
  return skips.length > 0 ? ['', `Skipped (${skips.length}):`, ...skips] : [];
}

function describeLeftOut(leftOut: readonly LeftOut[]): string[] {
  const lines = leftOut.map(({ file, command }) => `  ${file}: ${command}`);
  return lines.length > 0 ? ['', `Left to the full set (${lines.length}):`, ...lines] : [];
}

function describeSkip({ path, reason }: TestSkip): string {
  return `${path.join(' › ') || 'the whole file'}: ${reason || 'no reason given'}`;
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `    ${line}`);
}
