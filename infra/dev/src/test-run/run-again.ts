import type { TapRun } from './run-tap.ts';

/** More files than these fail for a reason of their own. */
const mostFiles = 4;

/** Files that failed beside another one: they are run once more, alone. None where too many did, or the run did not end. */
export function filesToRunAgain({ files, totals }: TapRun): string[] {
  const failed = files.filter(({ isOk }) => !isOk).map(({ file }) => file);
  return totals === undefined || failed.length > mostFiles ? [] : failed;
}

/** Both runs as one: of the files that were run again, what the second run says. */
export function withSecondRun(first: TapRun, second: TapRun): TapRun {
  const firstFailures = first.files.filter(({ isOk }) => !isOk);
  const { totals } = second;
  if (first.totals === undefined || totals === undefined) return { ...second, firstFailures };
  const voided = firstFailures.reduce((sum, { passed }) => sum + passed, 0);
  return {
    ...second,
    files: [...first.files.filter(({ isOk }) => isOk), ...second.files],
    totals: {
      pass: first.totals.pass - voided + totals.pass,
      fail: totals.fail,
      skip: first.totals.skip,
      todo: first.totals.todo,
    },
    firstFailures,
  };
}
