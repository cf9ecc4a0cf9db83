import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildWorkspace } from './build-workspace.mjs';
import { checkMachine } from './check-machine.mjs';
import { installPackages } from './install-packages.mjs';
import { oneAtATime } from './one-at-a-time.mjs';
import { reset } from './reset.mjs';
import { runSource } from './run-source.mjs';
import { Stop } from './stop.mjs';
import { prepareState, rootDir } from './workspace.mjs';

/** Whatever kills, hangs or ends a process or an engine. */
const faultTests = [
  'packages/platform/src/redis/faults.test.ts',
  'infra/dev/test/failover-cluster.test.ts',
  'infra/dev/test/failover-sentinels.test.ts',
  'services/api/test/faults.test.ts',
  'services/realtime/test/faults.test.ts',
  'infra/dev/test/controls.test.ts',
  'infra/dev/test/shutdown.test.ts',
  'infra/dev/test/faults.test.ts',
  'infra/dev/test/unwritable.test.ts',
  'services/api/test/slow-requests.test.ts',
  'infra/dev/test/redis-trouble.test.ts',
  'infra/dev/test/nodes.test.ts',
  'infra/dev/test/storm.test.ts',
  'infra/dev/test/nothing-missed.test.ts',
  'infra/dev/test/silent-loss.test.ts',
  'infra/dev/test/revocation.test.ts',
  'infra/dev/test/properties.test.ts',
  'infra/dev/test/replay.test.ts',
  'services/api/test/sos-faults.test.ts',
  'services/api/test/sos-dispatch-faults.test.ts',
  'services/api/test/sos-outages.test.ts',
  'services/api/test/sos-clocks.test.ts',
  'services/api/test/sos-direct.test.ts',
  'services/api/test/sos-escalation.test.ts',
  'services/api/test/alert-rules.test.ts',
  'services/worker/test/notifications.test.ts',
  'packages/outreach/test/alert-fault-table.test.ts',
  'packages/outreach/test/fault-table.test.ts',
];

/** What speaks to Redis, once more where Redis is several servers. */
const topologyTests = [
  'packages/outreach/src/people/cache/versioned-cache.test.ts',
  'packages/platform/src/auth/tickets.test.ts',
  'packages/platform/src/redis/redis.test.ts',
  'packages/platform/src/topics/new-history.test.ts',
  'packages/tracking/src/feed/position-feed.test.ts',
  'packages/tracking/src/positions/watch-silence.test.ts',
  'packages/tracking/src/positions/write-batch.test.ts',
  'packages/tracking/src/repartition/repartition.test.ts',
  'packages/tracking/src/revocations/revocations.test.ts',
  'packages/tracking/src/trip-access/access-cache.test.ts',
  'services/realtime/test/bad-input.test.ts',
  'services/realtime/test/binary-lane.test.ts',
  'services/realtime/test/event-streams.test.ts',
  'services/realtime/test/fanout.test.ts',
  'services/realtime/test/sessions.test.ts',
  'services/realtime/test/slow-consumer.test.ts',
  'services/api/test/live.test.ts',
  'services/api/test/trip-events.test.ts',
  'services/api/test/trips.test.ts',
  'services/worker/test/history.test.ts',
  'infra/dev/test/binary-lane.test.ts',
  'infra/dev/test/clients.test.ts',
  'infra/dev/test/fallback.test.ts',
  'infra/dev/test/nodes.test.ts',
  'infra/dev/test/nothing-missed.test.ts',
  'infra/dev/test/operators.test.ts',
  'infra/dev/test/replay.test.ts',
  'infra/dev/test/revocation.test.ts',
  'infra/dev/test/silent-loss.test.ts',
];

const commands = {
  start: async (args) => {
    await oneAtATime(prepare);
    await becomeRunner(args);
  },
  test: runTests,
  // The same with every fault as long as it gets: minutes instead of seconds.
  'test:faults': async (args) => {
    process.env.HUSHRYD_FULL = '1';
    await runTests(args.length > 0 ? args : faultTests);
  },
  soak: async (args) => {
    const minutes = readMinutes(args);
    process.env.SOAK_MINUTES = String(minutes);
    process.env.TAP_TIMEOUT = String(minutes * 60 + 300);
    await runTests(['infra/dev/test/soak.test.ts']);
  },
  // The same tests over a cluster and behind sentinels.
  'test:topologies': async (args) => {
    const codes = [];
    for (const topology of ['cluster', 'sentinel']) {
      console.log(`\nRedis as a ${topology}`);
      process.env.TEST_REDIS_TOPOLOGY = topology;
      await runTests(args.length > 0 ? args : topologyTests);
      codes.push(process.exitCode ?? 0);
    }
    process.exitCode = Math.max(...codes);
  },
  bench: async (args) => {
    await oneAtATime(prepare);
    await runSource('bench/main.ts', args);
  },
  screenshots: async (args) => {
    await oneAtATime(prepare);
    await runSource('infra/dev/src/screenshots/main.ts', args);
  },
  // These three say by themselves what is wrong with their arguments, and end with codes of their own.
  repartition: async (args) => {
    await oneAtATime(installPackages);
    await runSource('services/worker/src/repartition/main.ts', args, ['--conditions=@hushryd/source']);
  },
  reencrypt: async (args) => {
    await oneAtATime(installPackages);
    await runSource('services/worker/src/re-encryption/main.ts', args, ['--conditions=@hushryd/source']);
  },
  drill: async (args) => {
    await oneAtATime(installPackages);
    await runSource('infra/dev/src/drill/main.ts', args, ['--conditions=@hushryd/source']);
  },
  reset,
};

/**
 * `start | test | test:faults | test:topologies | soak | bench | screenshots | repartition | reencrypt | drill | reset`, with the arguments that
 * belong to it. Sets the exit code.
 */
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

/** From sources, as the tests themselves: a workspace that does not build still tells what its tests say. */
async function runTests(args) {
  await oneAtATime(args.length > 0 ? installAndTryToBuild : installPackages);
  await runSource('infra/dev/src/test-run/main.ts', args, ['--conditions=@hushryd/source']);
}

/** `npm test` builds with its checks; single files come without them, and start services from what was built. */
async function installAndTryToBuild() {
  await installPackages();
  await buildWorkspace().catch((error) => {
    if (!(error instanceof Stop)) throw error;
    console.error(error.message);
  });
}

function readMinutes(args) {
  if (args.length === 0) return 10;
  const [name, value] = args.length === 1 ? args[0].split('=') : args;
  const minutes = Number(value);
  if (name !== '--minutes' || !(minutes > 0 && minutes <= 1440) || args.length > 2) {
    throw new Stop('Usage: npm run soak -- --minutes N (0 < N ≤ 1440, 10 without it).');
  }
  return minutes;
}

async function prepare() {
  await installPackages();
  await buildWorkspace();
}

/** In this very process: signals and the exit code need no forwarding, and no child can stay behind. */
async function becomeRunner(args) {
  const file = join(rootDir, 'infra/dev/dist/main.js');
  if (!existsSync(file)) throw new Stop(`${file} was not built: see .hushryd/logs/build.log.`);
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
