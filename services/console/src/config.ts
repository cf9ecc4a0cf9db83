/** What the console is told at run time: one build serves every installation. */
export interface ConsoleConfig {
  /** Base address of the HTTP API, without a slash at the end. */
  apiUrl: string;
  /** Address of the realtime socket (`ws:` or `wss:`). */
  realtimeUrl: string;
  /** Where a one-time code or a refresh token becomes an access token. */
  tokenUrl: string;
  /** LineString features to draw as streets; null where there are none. */
  streetsUrl: string | null;
  /** A MapLibre style, or a raster tile address with `{z}/{x}/{y}`, that replaces the offline base map. */
  mapStyleUrl: string | null;
  /** How often a vehicle is expected to report. */
  reportingIntervalMs: number;
  /** Only where the system was started to be tried out. */
  simulation: Simulation | null;
}

export interface Simulation {
  /** Where a simulated rider is made to press SOS. */
  sosUrl: string;
  /** The page with everything that was sent. */
  inboxUrl: string;
}

/**
 * Read `config.json` beside the page.
 *
 * @throws Error with one sentence for the operator, naming what is missing
 */
export async function loadConfig(): Promise<ConsoleConfig> {
  const response = await fetch('config.json', { cache: 'no-cache' });
  if (!response.ok)
    throw new Error(`config.json answered ${response.status}; the server of this page must provide it.`);
  const text = await response.text();
  return readConfig(parseJson(text));
}

export function readConfig(raw: unknown): ConsoleConfig {
  if (typeof raw !== 'object' || raw === null) throw new Error('config.json must hold an object.');
  const values = new Map<string, unknown>(Object.entries(raw));
  return {
    apiUrl: requiredText(values, 'apiUrl').replace(/\/+$/, ''),
    realtimeUrl: requiredText(values, 'realtimeUrl'),
    tokenUrl: requiredText(values, 'tokenUrl'),
    streetsUrl: optionalText(values, 'streetsUrl'),
    mapStyleUrl: optionalAddress(values, 'mapStyleUrl'),
    reportingIntervalMs: positiveNumber(values, 'reportingIntervalMs', 1000),
    simulation: readSimulation(values.get('simulation')),
  };
}

function readSimulation(raw: unknown): Simulation | null {
  if (typeof raw !== 'object' || raw === null) return null;
  const values = new Map<string, unknown>(Object.entries(raw));
  return { sosUrl: requiredText(values, 'sosUrl'), inboxUrl: requiredText(values, 'inboxUrl') };
}

function requiredText(values: Map<string, unknown>, name: string): string {
  const value = values.get(name);
  if (typeof value !== 'string' || value === '') throw new Error(`config.json: ${name} is missing.`);
  return value;
}

function optionalText(values: Map<string, unknown>, name: string): string | null {
  const value = values.get(name);
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Absolute: the map's worker does not know where this page is. */
function optionalAddress(values: Map<string, unknown>, name: string): string | null {
  const text = optionalText(values, name);
  if (text === null || (/^https?:\/\//.test(text) && URL.canParse(text))) return text;
  throw new Error(`config.json: ${name} is "${text}"; it must be an http(s) address, or be left out.`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error('config.json is no JSON: a setting of the server of this page breaks it.', { cause });
  }
}

function positiveNumber(values: Map<string, unknown>, name: string, otherwise: number): number {
  const value = values.get(name) ?? otherwise;
  if (typeof value !== 'number' || !(value > 0)) throw new Error(`config.json: ${name} must be a number above 0.`);
  return value;
}
