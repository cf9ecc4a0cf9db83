import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { runStep } from './run-step.mjs';
import { digestOfTimes, hasStamp, writeStamp } from './stamp.mjs';
import { packageManager, rootDir } from './workspace.mjs';

const stampFile = join(rootDir, 'node_modules/.hushryd-build');

/**
 * Builds everything that runs, unless no file changed since the last build and every output is there.
 *
 * Turbo would find that out by itself, but takes two seconds with npx before it; this look takes milliseconds.
 */
export async function buildWorkspace() {
  const packages = findPackages();
  const digest = digestOfTimes([
    join(rootDir, 'tsconfig.base.json'),
    join(rootDir, 'turbo.json'),
    join(rootDir, 'pnpm-lock.yaml'),
    ...packages.flatMap(inputsOf),
  ]);
  const isComplete = packages.every((dir) => existsSync(join(dir, 'dist')) || !existsSync(join(dir, 'src')));
  if (isComplete && hasStamp(stampFile, digest)) return;

  await runStep({
    what: 'building',
    log: 'build',
    command: 'npx',
    args: [
      ...['-y', packageManager(), 'exec', 'turbo', 'run', 'build', '--output-logs=errors-only'],
      // The benches run from their sources.
      '--filter=!@hushryd/bench',
    ],
    env: { TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1', NO_COLOR: '1', FORCE_COLOR: '0' },
  });
  writeStamp(stampFile, digest);
}

function findPackages() {
  const inside = ['packages', 'services'].flatMap((group) =>
    readdirSync(join(rootDir, group)).map((name) => join(rootDir, group, name)),
  );
  return [...inside, join(rootDir, 'infra/dev')].filter((dir) => existsSync(join(dir, 'package.json')));
}

function inputsOf(dir) {
  return ['src', 'public', 'index.html', 'vite.config.ts', 'package.json', 'tsconfig.json'].map((name) =>
    join(dir, name),
  );
}
