import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dataRoot } from '@hushryd/platform/engines/data-root';
import { spawnGuarded } from '@hushryd/platform/engines/spawn-guarded';
import { realtimeNodeArgs } from '@hushryd/platform/lifecycle/realtime-node-args';
import type { Scope } from '../scope.ts';

export interface RunningService {
  readonly pid: number;
  /** SIGTERM, then its end. */
  stop(): Promise<void>;
}

export type ServiceName = 'api' | 'realtime' | 'worker' | 'sandbox';

export interface ServiceRequest {
  readonly name: ServiceName;
  /** Its whole environment besides PATH and HOME. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Write a CPU profile here when it ends. */
  readonly profileDir?: string | undefined;
}

const readyWithinMs = 60_000;
const stopWithinMs = 30_000;
const lookEveryMs = 20;

/**
 * Starts a service as the process it is in production, and waits until it says that it is ready. It ends with the scope, and with this
 * process however that ends. Its log is `.hushryd/logs/bench-<name>-<number>.log`.
 *
 * @throws Error with its last lines when it ends or stays silent
 */
export async function startService(scope: Scope, { name, env, profileDir }: ServiceRequest): Promise<RunningService> {
  const rootDir = dirname(dataRoot());
  const [project, file] =
    name === 'sandbox' ? ['packages/providers', 'sandbox/main.js'] : [`services/${name}`, 'main.js'];
  const main = join(rootDir, project, 'dist', file);
  if (!existsSync(main)) throw new Error(`${name} is not built: run npx tsc -b ${project} first.`);
  const logFile = await nextLogFile(name);
  const profileArgs = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
  const service = spawnGuarded({
    argv: [process.execPath, ...(name === 'realtime' ? realtimeNodeArgs : []), ...profileArgs, main],
    cwd: rootDir,
    logFile,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
  });
  let end: string | undefined;
  const ended = service.ended.then(({ code, signal }) => {
    end = signal ?? `code ${code}`;
  });
  const stop = async () => {
    if (end !== undefined) return;
    service.child.kill('SIGTERM');
    const late = setTimeout(() => service.child.kill('SIGKILL'), stopWithinMs);
    await ended;
    clearTimeout(late);
  };
  scope.teardown(stop);

  const ready = name === 'worker' ? 'ready' : 'listening';
  for (const deadlineMs = performance.now() + readyWithinMs; performance.now() < deadlineMs; await sleep(lookEveryMs)) {
    const log = await readFile(logFile, 'utf8');
    if (log.includes(`"msg":"${ready}"`)) return { pid: service.pid, stop };
    if (end !== undefined) throw new Error(`${name} ended with ${end}: ${lastLines(log)}`);
  }
  throw new Error(`${name} was not ready within ${readyWithinMs / 1000} s: see ${logFile}`);
}

let started = 0;

async function nextLogFile(name: string): Promise<string> {
  const folder = join(dataRoot(), 'logs');
  await mkdir(folder, { recursive: true });
  started += 1;
  return join(folder, `bench-${name}-${started}.log`);
}

const lastLines = (log: string): string => log.trimEnd().split('\n').slice(-5).join(' | ');
