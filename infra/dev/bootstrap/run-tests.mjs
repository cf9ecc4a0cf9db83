import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { rootDir } from './workspace.mjs';

/**
 * Hands over to the test runner, which is TypeScript and so needs what was just installed.
 *
 * It runs from its sources, as the tests do: a workspace that does not build still tells what its tests say.
 */
export async function runTests(args) {
  const runner = join(rootDir, 'infra/dev/src/test-run/main.ts');
  const child = spawn(
    process.execPath,
    ['--import=tsx', '--conditions=@hushryd/source', '--enable-source-maps', runner, ...args],
    { cwd: rootDir, stdio: 'inherit' },
  );
  const forward = (signal) => child.kill(signal);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, forward);

  process.exitCode = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 130));
  });
  for (const signal of signals) process.off(signal, forward);
}
