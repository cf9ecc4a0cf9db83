import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChild } from './run-child.ts';

const tasks = ['build', 'typecheck', 'lint', 'lint:imports'];

/**
 * Builds the workspace and runs every check that is no test: types, lint, import rules. What was checked before and has not
 * changed comes from Turbo's cache.
 *
 * @returns names of what failed, such as `@hushryd/api#typecheck`; its output went to the screen
 */
export async function runChecks(input: { rootDir: string; signal: AbortSignal }): Promise<string[]> {
  const { packageManager } = JSON.parse(readFileSync(join(input.rootDir, 'package.json'), 'utf8')) as {
    packageManager: string;
  };
  const failed: string[] = [];
  const show = (line: string): void => {
    failed.push(...failedTasks(line));
    if (!isChatter(line)) console.log(`  ${line}`);
  };

  const exitCode = await runChild({
    command: 'npx',
    args: ['-y', packageManager, 'exec', 'turbo', 'run', ...tasks, '--continue', '--output-logs=errors-only'],
    cwd: input.rootDir,
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1', NO_COLOR: '1' },
    signal: input.signal,
    onLine: show,
    onErrorLine: show,
  });
  return exitCode === 0 || failed.length > 0 ? failed : ['checks'];
}

/** Turbo's summary: `Failed:    @hushryd/api#typecheck, //#lint`. */
function failedTasks(line: string): string[] {
  const [, names] = /^\s*Failed:\s+(.+)$/.exec(stripColours(line)) ?? [];
  return names?.split(',').map((name) => name.trim().replace('//#', '')) ?? [];
}

function isChatter(line: string): boolean {
  const plain = stripColours(line);
  return (
    /^\s*$|^\W*(?:turbo \d|Packages in scope|Running |Remote caching|npm (?:warn|notice))/.test(plain) ||
    /^\S+: (?:cache (?:miss|hit)|\$ |\[ELIFECYCLE\])|WARNING {2}(?:command finished|no output files)/.test(plain)
  );
}

function stripColours(line: string): string {
  return line.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), '');
}
