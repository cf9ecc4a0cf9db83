import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { StartError } from '../start-error.ts';
import { readMapStyle } from './read-map-style.ts';

export interface Ports {
  readonly api: number;
  readonly realtime: number;
  readonly console: number;
  readonly internal: number;
  readonly apiMetrics: number;
  readonly realtimeMetrics: number;
  readonly workerMetrics: number;
  /** The played outside companies, and their inbox. */
  readonly sandbox: number;
}

/** Of a start with several realtime nodes; the first of them has the ports of the only one. */
export interface FrontDoorPorts {
  readonly port: number;
  readonly metricsPort: number;
  readonly moreNodes: readonly { readonly port: number; readonly metricsPort: number }[];
}

/** What drives: nothing, a made-up city, or recorded trips. */
export type FleetChoice =
  | { readonly kind: 'none' }
  | { readonly kind: 'city'; readonly vehicles: number; readonly seed: number; readonly intervalMs: number }
  | {
      readonly kind: 'replay';
      readonly file: string;
      readonly speed: number;
      readonly intervalMs: number;
      readonly isLooped: boolean;
    };

export interface StartOptions {
  readonly fleet: FleetChoice;
  /** Absolute; undefined for the workspace's own. */
  readonly dataDir: string | undefined;
  readonly ports: Ports;
  /** Set where several realtime nodes stand behind a front door. */
  readonly frontDoor: FrontDoorPorts | undefined;
  /** What replaces the console's own base map: the address of a style or of raster tiles. */
  readonly mapStyleUrl: string | undefined;
  readonly wantsHelp: boolean;
}

/** All options with the words of the help text that are not theirs to default: every default is applied below. */
export const optionTypes = {
  replay: { type: 'string' },
  speed: { type: 'string' },
  interval: { type: 'string' },
  loop: { type: 'boolean' },
  vehicles: { type: 'string' },
  seed: { type: 'string' },
  'no-fleet': { type: 'boolean' },
  data: { type: 'string' },
  'port-base': { type: 'string' },
  'api-port': { type: 'string' },
  'realtime-port': { type: 'string' },
  'console-port': { type: 'string' },
  'internal-port': { type: 'string' },
  'metrics-port': { type: 'string' },
  'sandbox-port': { type: 'string' },
  nodes: { type: 'string' },
  'door-port': { type: 'string' },
  'map-style': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Values = ReturnType<typeof parse>;

/**
 * What a person asked for on the command line, and in the environment where that has a say. Pure but for the current folder, which relative
 * paths start from.
 *
 * @throws StartError with one sentence for an unknown option, a bad value, or options that contradict each other
 */
export function readOptions(
  args: readonly string[],
  env: { readonly MAP_STYLE_URL?: string | undefined } = {},
): StartOptions {
  const values = parse(args);
  const dataDir = values.data === undefined ? undefined : resolve(values.data);
  const ports = readPorts(values);
  const frontDoor = readFrontDoor(values, ports);
  refuseTwice([
    ...Object.values(ports),
    ...(frontDoor ? [frontDoor, ...frontDoor.moreNodes].flatMap(({ port, metricsPort }) => [port, metricsPort]) : []),
  ]);
  return {
    fleet: readFleet(values),
    dataDir,
    ports,
    frontDoor,
    mapStyleUrl: readMapStyle({ option: values['map-style'], variable: env.MAP_STYLE_URL }),
    wantsHelp: values.help ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: optionTypes, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    // Node adds advice for programmers after the first sentence.
    const [sentence] = message.split(/\. |\n/);
    throw new StartError(`${sentence?.replace(/\.$/, '')}: see npm start -- --help.`, { cause });
  }
}

function readFleet(values: Values): FleetChoice {
  const intervalMs = readNumber({ values, name: 'interval', otherwise: 5, min: 0.1, max: 3600 }) * 1000;
  if (values.replay !== undefined) {
    refuse(values, ['vehicles', 'seed', 'no-fleet'], '--replay');
    const speed = readNumber({ values, name: 'speed', otherwise: 1, min: 0.1, max: 1000 });
    return { kind: 'replay', file: resolve(values.replay), speed, intervalMs, isLooped: values.loop ?? false };
  }
  for (const name of ['speed', 'loop'] as const) {
    if (values[name] !== undefined)
      throw new StartError(`--${name} is for replays: add --replay FILE, or leave it out.`);
  }
  if (values['no-fleet']) {
    refuse(values, ['vehicles', 'interval'], '--no-fleet');
    return { kind: 'none' };
  }
  const vehicles = readNumber({ values, name: 'vehicles', otherwise: 40, min: 1, max: 5000, isWhole: true });
  const seed = readNumber({ values, name: 'seed', otherwise: 1, min: 0, max: 2 ** 32, isWhole: true });
  return { kind: 'city', vehicles, seed, intervalMs };
}

function refuse(values: Values, names: readonly (keyof Values)[], beside: string): void {
  const name = names.find((candidate) => values[candidate] !== undefined);
  if (name) throw new StartError(`--${name} means nothing beside ${beside}: leave one of them out.`);
}

function readPorts(values: Values): Ports {
  const port = (
    name: 'port-base' | `${'api' | 'realtime' | 'console' | 'internal' | 'metrics' | 'sandbox'}-port`,
    otherwise: number,
  ) => readPort(values, name, otherwise);
  const base = port('port-base', 5000);
  const metrics = port('metrics-port', values['port-base'] === undefined ? 9464 : base + 20);
  return {
    api: port('api-port', base),
    realtime: port('realtime-port', base + 1),
    console: port('console-port', base + 2),
    internal: port('internal-port', base + 10),
    apiMetrics: metrics,
    realtimeMetrics: metrics + 1,
    workerMetrics: metrics + 2,
    sandbox: port('sandbox-port', values['port-base'] === undefined ? 5020 : base + 15),
  };
}

const maxNodes = 8;
/** Where the further nodes' ports begin, counted from the first one's. */
const nodePortOffset = 29;

function readFrontDoor(values: Values, ports: Ports): FrontDoorPorts | undefined {
  const nodes = readNumber({ values, name: 'nodes', otherwise: 1, min: 1, max: maxNodes, isWhole: true });
  if (nodes === 1) {
    if (values['door-port'] !== undefined) throw new StartError('--door-port is for several nodes: add --nodes N.');
    return undefined;
  }
  return {
    port: readPort(values, 'door-port', ports.console + 1),
    metricsPort: ports.workerMetrics + 1,
    moreNodes: Array.from({ length: nodes - 1 }, (_, index) => ({
      port: ports.realtime + nodePortOffset + index,
      metricsPort: ports.realtimeMetrics + nodePortOffset + index,
    })),
  };
}

function readPort(values: Values, name: keyof Values, otherwise: number): number {
  return readNumber({ values, name, otherwise, min: 1024, max: 65_500, isWhole: true });
}

function refuseTwice(ports: readonly number[]): void {
  const twice = ports.find((value, index) => ports.indexOf(value) !== index);
  if (twice !== undefined)
    throw new StartError(`Port ${twice} is asked for twice: give each listener a port of its own.`);
}

function readNumber(input: {
  values: Values;
  name: keyof Values;
  otherwise: number;
  min: number;
  max: number;
  isWhole?: boolean;
}): number {
  const { name, otherwise, min, max, isWhole = false } = input;
  const text = input.values[name];
  if (text === undefined) return otherwise;
  const value = typeof text === 'string' && text.trim() !== '' ? Number(text) : Number.NaN;
  if (value >= min && value <= max && (!isWhole || Number.isInteger(value))) return value;
  throw new StartError(`--${name} is "${text}": give a ${isWhole ? 'whole ' : ''}number from ${min} to ${max}.`);
}
