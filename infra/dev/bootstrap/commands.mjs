import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildWorkspace } from './build-workspace.mjs';
import { checkMachine } from './check-machine.mjs';
import { installPackages } from './install-packages.mjs';
import { oneAtATime } from './one-at-a-time.mjs';
import { reset } from './reset.mjs';
import { runTests } from './run-tests.mjs';
import { Stop } from './stop.mjs';
import { prepareState, rootDir } from './workspace.mjs';

const commands = {
  start: (args) => runBuilt('infra/dev/dist/main.js', args),
  test: async (args) => {
    await oneAtATime(installPackages);
    await runTests(args);
  },
  reset,
  bench: (args) => runBuilt('bench/dist/main.js', args),
  screenshots: (args) => runBuilt('infra/dev/dist/screenshots/main.js', args),
};

/** `start | test | reset | bench | screenshots`, with the arguments that belong to it. Sets the exit code. */
export async function runCommand([name, ...args]) {
  const command = commands[name];
  try {
    if (!command) throw new Stop(`Unknown command "${name ?? ''}": use one of ${Object.keys(commands).join(', ')}.`);
    if (name === 'start' && args.some((arg) => arg === '--help' || arg === '-h')) return printHelp();
    checkMachine();
    prepareState();
    await command(args);
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    if (error.details) console.error(`${error.details}\n`);
    console.error(error.message);
    process.exitCode = error.exitCode;
  }
}

/** In this very process: signals and the exit code need no forwarding, and no child can stay behind. */
async function runBuilt(entry, args) {
  await oneAtATime(async () => {
    await installPackages();
    await buildWorkspace();
  });
  const file = join(rootDir, entry);
  if (!existsSync(file)) throw new Stop(`${entry} was not built: see .hushryd/logs/build.log.`);
  process.argv = [process.argv[0], file, ...args];
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(file).href);
}

/** From a text beside us, so that it answers at once, before anything is installed. */
function printHelp() {
  process.stdout.on('error', (error) => {
    // Whoever read it (head, less) has seen enough.
    if (error.code !== 'EPIPE') throw error;
  });
  process.stdout.write(readFileSync(join(rootDir, 'infra/dev/start-help.txt'), 'utf8'));
}
