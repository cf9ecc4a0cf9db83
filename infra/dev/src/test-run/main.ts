import { join } from 'node:path';
import { findResources, isKnownTrouble } from './find-resources.ts';
import { fullSet } from './full-set.ts';
import { filesToRunAgain, withSecondRun } from './run-again.ts';
import { runChecks } from './run-checks.ts';
import { runTap } from './run-tap.ts';
import { describeFile, summarise } from './summary.ts';
import type { FileResult } from './tap-reader.ts';

/**
 * `npm test`: checks, then all tests. `npm test -- file …`: only these tests, without the checks.
 * The last line is `N passed, N failed`.
 */
const rootDir = join(import.meta.dirname, '../../../..');
const files = process.argv.slice(2);
/** Left out of this run. */
const leftOut = files.length > 0 || process.env.HUSHRYD_FULL === '1' ? [] : fullSet;
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());

process.exitCode = await run().catch((error: unknown) => {
  if (!isKnownTrouble(error)) throw error;
  console.log(`\n${error.message}\n\n0 passed, 1 failed`);
  return 1;
});

async function run(): Promise<number> {
  const { signal } = interrupted;
  if (files.length === 0) console.log('Building and checking types, lint and import rules');
  const failedChecks = files.length === 0 ? await runChecks({ rootDir, signal }) : [];
  if (signal.aborted) return 130;

  console.log('Finding what the tests share');
  const resources = await findResources({ files, env: process.env });
  for (const line of resources.descriptions) console.log(`  ${line}`);
  try {
    console.log('Running tests');
    const shared = {
      rootDir,
      env: resources.env,
      signal,
      onFile: (result: FileResult) => console.log(describeFile(result)),
    };
    const first = await runTap({ ...shared, files, exclude: leftOut.map(({ file }) => file), jobs: 2 });
    if (signal.aborted) return 130;
    const again = files.length === 0 ? filesToRunAgain(first) : [];
    if (again.length > 0) console.log('Running alone what failed beside another file');
    const tap =
      again.length === 0
        ? first
        : withSecondRun(first, await runTap({ ...shared, files: again, exclude: [], jobs: 1 }));
    if (signal.aborted) return 130;
    const summary = summarise({ run: tap, failedChecks, leftOut });
    for (const line of summary.lines) console.log(line);
    return summary.isOk ? 0 : 1;
  } finally {
    await resources.stop();
  }
}
