import { parseArgs } from 'node:util';
import { readEnvironment } from '@hushryd/platform/config/read-environment';
import { commonEnvironment, redisEnvironment, toRedisSettings } from '@hushryd/platform/config/shared-environment';
import { createInstanceId } from '@hushryd/platform/lifecycle/instance-id';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { repartition } from '@hushryd/tracking/repartition/repartition';
import Type from 'typebox';

const help = `Spreads what Redis holds over another number of partitions.

  npm run repartition -- --to 24
  node services/worker/dist/repartition/main.js --to 24

Stop all services first: drain realtime and api, let the worker store the fixes that wait, stop it, wait ten seconds. Afterwards start
them with REDIS_PARTITIONS set to the new number. REDIS_URL and the other REDIS_ variables say where the data is (.env.example).

It may be interrupted and run again; until it has come to its end no service starts on the data.

  --to N     partitions from now on, 1 to 99
  --help     this text

Exit codes: 0 done, or nothing to do · 1 broken off, run it again · 2 refused or not understood, nothing was changed`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const complain = (line: string): void => void process.stderr.write(`${line}\n`);

const exitCodes = { done: 0, brokenOff: 1, refused: 2 } as const;

process.exitCode = await run(process.argv.slice(2)).catch((error: unknown) => {
  complain(`Broken off: ${error instanceof Error ? error.message : String(error)}. Run it again.`);
  return exitCodes.brokenOff;
});

async function run(args: string[]): Promise<number> {
  const asked = readArguments(args);
  if (asked === 'help') {
    say(help);
    return exitCodes.done;
  }
  const settings = asked === undefined ? undefined : readSettings();
  if (asked === undefined || settings === undefined) return exitCodes.refused;

  const log = createLogger({ service: 'repartition', instanceId: createInstanceId('repartition'), level: 'error' });
  const connections = await connectRedis({ settings, role: 'live', log });
  try {
    const result = await repartition({
      redis: connections.commands,
      prefix: settings.prefix,
      to: asked.to,
      onProgress: say,
    });
    if ('refused' in result) {
      complain(`Refused: ${result.refused}.`);
      return exitCodes.refused;
    }
    if (result.from === undefined) say('There is no data: start the services with the new number.');
    else say(`Done: ${asked.to} partitions. Start the services with REDIS_PARTITIONS=${asked.to}.`);
    return exitCodes.done;
  } finally {
    await connections.close();
  }
}

function readArguments(args: string[]): { to: number } | 'help' | undefined {
  try {
    const { values } = parseArgs({ args, options: { to: { type: 'string' }, help: { type: 'boolean', short: 'h' } } });
    if (values.help) return 'help';
    const to = Number(values.to);
    if (Number.isInteger(to) && to >= 1 && to <= 99) return { to };
    complain('--to is missing or no number from 1 to 99: see --help.');
  } catch (error) {
    complain(`${error instanceof Error ? error.message : String(error)} See --help.`);
  }
  return undefined;
}

function readSettings() {
  try {
    const environment = Type.Object({ ...commonEnvironment, ...redisEnvironment });
    return toRedisSettings(readEnvironment(environment, process.env));
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}
