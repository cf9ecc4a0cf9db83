import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

// Somewhere else than `npm start`, which may run at the same time.
const portBase = 7600;
const linkPattern = /http:\/\/127\.0\.0\.1:\d+\/#code=\S+/;

/**
 * `npm start` with the given options, on ports and data of its own.
 *
 * @returns the link that signs an operator in
 * @throws when it ends before that; its words were shown
 */
export async function startRunner(input: { rootDir: string; args: readonly string[] }) {
  const parent = join(input.rootDir, '.hushryd/tmp');
  await mkdir(parent, { recursive: true });
  const dataDir = await mkdtemp(join(parent, 'screenshots-'));
  const entry = join(input.rootDir, 'infra/dev/dist/main.js');
  const child = spawn(process.execPath, [entry, '--port-base', String(portBase), '--data', dataDir, ...input.args], {
    cwd: input.rootDir,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));

  const link = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      console.log(line);
      const [found] = linkPattern.exec(line) ?? [];
      if (found !== undefined) resolve(found);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`npm start ended with ${code} before it printed its link`)));
  });

  return {
    link,
    async stop(): Promise<void> {
      child.kill('SIGTERM');
      await ended;
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
