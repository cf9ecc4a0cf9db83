import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Stop } from './stop.mjs';
import { rootDir } from './workspace.mjs';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Hands over to a TypeScript program of ours, run from its source; passes signals on and takes over its exit code.
 *
 * @param {string} entry path below the root
 * @param {string[]} args
 * @param {string[]} [nodeArgs] further ones for node
 */
export async function runSource(entry, args, nodeArgs = []) {
  const file = join(rootDir, entry);
  if (!existsSync(file)) throw new Stop(`${entry} is missing: is this a whole checkout?`);
  const child = spawn(process.execPath, ['--import=tsx', '--enable-source-maps', ...nodeArgs, file, ...args], {
    cwd: rootDir,
    stdio: 'inherit',
  });
  const forward = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, forward);

  process.exitCode = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 130));
  });
  for (const signal of signals) process.off(signal, forward);
}
