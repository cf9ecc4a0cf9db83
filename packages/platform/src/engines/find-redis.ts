import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { dataRoot, makeTemporaryFolder } from './data-root.ts';
import {
  type Engine,
  EngineError,
  type EngineSource,
  type FindEngineOptions,
  type OnProgress,
  withoutPassword,
} from './engine.ts';
import { startEngineProcess } from './engine-process.ts';
import { installWithApt } from './install-with-apt.ts';
import { askOverTcp } from './ports.ts';
import { runProgram } from './run-program.ts';

const oldestMajor = 7;

/**
 * Finds or starts a Redis ≥ 7.0: the URL → `redis-server` or `valkey-server` on PATH → as root on Debian or Ubuntu, apt installs
 * `redis-server` → one sentence that names the choices.
 *
 * A started engine listens on 127.0.0.1 only, keeps an append-only file, never evicts, and ends with this process however that ends.
 * A crash leaves data that the next start on the same folder picks up.
 *
 * @throws EngineError one sentence with the remedy
 * Cost: under 0.2 s where Redis is installed.
 */
export async function findRedis(options: FindEngineOptions = {}): Promise<Engine> {
  if (options.url) return useUrl(options.url);
  const { program, source } = await findRedisProgram(options.onProgress);
  return startProgram(program, source, options);
}

/** The server program alone, for whoever starts several of them. @throws EngineError one sentence with the remedy */
export async function findRedisProgram(
  onProgress?: OnProgress,
): Promise<{ program: RedisProgram; source: EngineSource }> {
  const found = await findProgram();
  if (found.program) return { program: found.program, source: 'path' };
  const apt = await installWithApt(['redis-server'], onProgress);
  const installed = apt.ok ? await findProgram() : found;
  if (installed.program) return { program: installed.program, source: 'installed' };
  throw new EngineError(
    `No Redis ≥ ${oldestMajor}.0 was found${installed.tooOld ? ` (${installed.tooOld} is too old)` : ''}: set REDIS_URL to one, or put redis-server or ` +
      `valkey-server on PATH (Debian, Ubuntu: apt-get install redis-server), or run this as root on Debian or Ubuntu${apt.ok ? '' : ` (${apt.reason})`}.`,
  );
}

export interface RedisProgram {
  readonly command: string;
  readonly name: 'Redis' | 'Valkey';
  readonly version: string;
}

async function findProgram(): Promise<{ program?: RedisProgram; tooOld?: string }> {
  let tooOld: string | undefined;
  for (const [command, name] of [
    ['redis-server', 'Redis'],
    ['valkey-server', 'Valkey'],
  ] as const) {
    const result = await runProgram(command, ['--version'], { timeoutMs: 10_000 });
    const version = result.ok ? /v=(\d+(?:\.\d+)*)/.exec(result.output)?.[1] : undefined;
    if (!version) continue;
    if (Number.parseInt(version, 10) >= oldestMajor) return { program: { command, name, version } };
    tooOld = `${command} ${version} on PATH`;
  }
  return tooOld ? { tooOld } : {};
}

async function startProgram(program: RedisProgram, source: EngineSource, options: FindEngineOptions): Promise<Engine> {
  const isPersistent = options.persistent ?? false;
  const isTemporary = !options.dataDir && !isPersistent;
  const dataDir = options.dataDir ?? (isPersistent ? join(dataRoot(), 'redis') : await makeTemporaryFolder('redis'));
  const filesDir = join(dataDir, 'data');
  const appendfsync = (options.syncOnCommit ?? isPersistent) ? 'always' : 'everysec';
  const engine = await startEngineProcess({
    label: program.command,
    dataDir,
    isTemporary,
    port: options.port,
    argv: (port) => [program.command, ...redisArguments({ port, filesDir, appendfsync })],
    isReady: async (port) => (await askOverTcp({ port, line: 'PING', withinMs: 1000 }))?.startsWith('+PONG') ?? false,
    onProgress: options.onProgress,
    onUnexpectedEnd: options.onUnexpectedEnd,
    prepare: () => mkdir(filesDir, { recursive: true }),
  });
  return {
    url: `redis://127.0.0.1:${engine.port}`,
    source,
    name: program.name,
    version: program.version,
    description:
      `${program.name} ${program.version}${source === 'installed' ? ', just installed by apt' : ` (${program.command} on PATH)`}, ` +
      `on 127.0.0.1:${engine.port}, data in ${dataDir}`,
    get pid() {
      return engine.pid;
    },
    stop: engine.stop,
    faults: engine.faults,
  };
}

/** Arguments of a server that listens on 127.0.0.1 only, keeps an append-only file and never evicts. */
export function redisArguments(input: { port: number; filesDir: string; appendfsync: string }): string[] {
  const settings: Record<string, string> = {
    bind: '127.0.0.1',
    port: String(input.port),
    dir: input.filesDir,
    appendonly: 'yes',
    appendfsync: input.appendfsync,
    // The append-only file is the one copy; snapshots would only add forks.
    save: '',
    // Below this a rewrite, which forks, costs more than the disk it saves.
    'auto-aof-rewrite-min-size': '256mb',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
    supervised: 'no',
    'always-show-logo': 'no',
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

async function useUrl(url: string): Promise<Engine> {
  // No queue: an unreachable server is an answer at once, not after retries.
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 5000,
    commandTimeout: 5000,
    retryStrategy: () => null,
  });
  let lastError: Error | undefined;
  redis.on('error', (error: Error) => {
    lastError = error;
  });
  try {
    await redis.connect();
    const info = await redis.info('server');
    const version = /^(?:valkey_version|redis_version):(\S+)/m.exec(info)?.[1] ?? 'unknown';
    const name = info.includes('valkey_version') ? 'Valkey' : 'Redis';
    if (Number.parseInt(version, 10) < oldestMajor) {
      throw new EngineError(`REDIS_URL names ${name} ${version}; HushRyd needs ${oldestMajor}.0 or newer.`);
    }
    const description = `${name} ${version} at ${withoutPassword(url)} (yours: never stopped, never emptied)`;
    return { url, source: 'url', name, version, description, stop: async () => undefined };
  } catch (error) {
    if (error instanceof EngineError) throw error;
    const reason = lastError?.message ?? (error instanceof Error ? error.message : String(error));
    throw new EngineError(
      `REDIS_URL names ${withoutPassword(url)}, where no Redis answers (${reason}): start that server, correct the URL, or leave it empty to let HushRyd start one.`,
      { cause: error },
    );
  } finally {
    redis.disconnect();
  }
}
