import { parseArgs } from 'node:util';

export interface Options {
  readonly names: readonly string[];
  readonly rounds: number;
  /** Where the JSON goes; undefined writes none. */
  readonly out: string | undefined;
  readonly isProfiling: boolean;
  /** How many sockets, where a scenario leaves it open; undefined: as many as its budget is about. */
  readonly sockets: number | undefined;
  /** How many alerts a second, where a scenario leaves it open; undefined: as many as its budget is about. */
  readonly alerts: number | undefined;
  /** Let a history worker run beside, where a scenario leaves it open. */
  readonly withWorker: boolean;
  readonly wants: 'run' | 'help' | 'list';
}

/** A wrong command line, said in one sentence. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError */
export function parseOptions(argv: readonly string[], defaultOut: string): Options {
  const { values, positionals } = parse(argv);
  const rounds = wholeNumber('rounds', values.rounds ?? '3', { from: 1, to: 20 });
  return {
    names: positionals,
    rounds,
    out: values['no-write'] ? undefined : (values.out ?? defaultOut),
    isProfiling: values.profile ?? false,
    sockets:
      values.sockets === undefined ? undefined : wholeNumber('sockets', values.sockets, { from: 100, to: 1_000_000 }),
    alerts: values.alerts === undefined ? undefined : wholeNumber('alerts', values.alerts, { from: 1, to: 1_000 }),
    withWorker: values.worker ?? false,
    wants: wantedOf(values),
  };
}

function wholeNumber(name: string, text: string, { from, to }: { from: number; to: number }): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= from && value <= to) return value;
  throw new UsageError(`--${name} takes a whole number from ${from} to ${to.toLocaleString('en')}, not "${text}".`);
}

function wantedOf({ help, list }: { help?: boolean; list?: boolean }): Options['wants'] {
  if (help) return 'help';
  return list ? 'list' : 'run';
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      // Some package managers hand a separating `--` on.
      args: argv.filter((argument) => argument !== '--'),
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        out: { type: 'string' },
        'no-write': { type: 'boolean' },
        profile: { type: 'boolean' },
        sockets: { type: 'string' },
        alerts: { type: 'string' },
        worker: { type: 'boolean' },
        list: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

export const helpText = `Measure HushRyd against its budgets, each figure beside a baseline of the same run.

  npm run bench -- [NAME …]  all scenarios but the long ones, or those whose names begin so

  --rounds N                 measure everything N times, in turn (default 3; fewer are for trying out)
  --out FILE                 where the JSON goes (default bench/baselines/latest.json)
  --no-write                 write no JSON
  --profile                  CPU profiles of the services into .hushryd/profiles (costs some percent)
  --sockets N                how many sockets (sockets-100k, slow-consumers, reconnect-storm), or phones (sos-accept)
  --alerts N                 how many alerts a second (sos-accept)
  --worker                   a history worker runs beside (sockets-100k)
  --list                     what there is to measure
  -h, --help                 this text

REDIS_URL and MONGODB_URL name your own servers; without them both are started for the run. Everything stays on 127.0.0.1 and ends by
itself. Leave the machine alone meanwhile.
`;
