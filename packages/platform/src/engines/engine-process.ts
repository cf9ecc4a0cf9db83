import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { releaseClaim, updateClaim } from './claim-file.ts';
import { EngineError, type EngineFaults, type OnProgress } from './engine.ts';
import { claimEngineFolder, claimFileName } from './engine-folder.ts';
import { assertPortIsFree, freePort } from './ports.ts';
import { processIdentity } from './process-identity.ts';
import { withProgress } from './progress.ts';
import { type GuardedProcess, spawnGuarded } from './spawn-guarded.ts';

/** How to start one kind of engine and how to know that it answers. */
export interface EngineSpec {
  /** For sentences: `redis-server`. */
  readonly label: string;
  readonly dataDir: string;
  /** Remove `dataDir` in `stop()`. */
  readonly isTemporary: boolean;
  readonly port?: number | undefined;
  readonly argv: (port: number) => readonly string[];
  /** Made once the folder is this process's own. */
  readonly prepare: () => Promise<unknown>;
  readonly isReady: (port: number) => Promise<boolean>;
  readonly onProgress?: OnProgress | undefined;
  readonly onUnexpectedEnd?: ((sentence: string) => void) | undefined;
}

/** A running engine that belongs to this process. */
export interface EngineProcess {
  readonly port: number;
  readonly pid: number;
  readonly faults: EngineFaults;
  stop(): Promise<void>;
}

const readyWithinMs = 60_000;
const stopWithinMs = 10_000;
const maxPortTries = 3;

/**
 * Starts an engine on its folder and waits until it answers.
 *
 * @throws EngineError with one sentence: folder in use or unwritable, port taken, or the engine's own last words.
 */
export async function startEngineProcess(spec: EngineSpec): Promise<EngineProcess> {
  await claimEngineFolder(spec.dataDir, spec.onProgress);
  try {
    await spec.prepare();
    return await startOnSomePort(spec);
  } catch (error) {
    releaseFolder(spec);
    throw error;
  }
}

async function startOnSomePort(spec: EngineSpec): Promise<EngineProcess> {
  if (spec.port !== undefined) {
    await assertPortIsFree(spec.port);
    return superviseEngine(spec, spec.port, await launch(spec, spec.port));
  }
  for (let tries = 1; ; tries += 1) {
    const port = await freePort();
    try {
      return superviseEngine(spec, port, await launch(spec, port));
    } catch (error) {
      // Somebody took the port between our look and the engine's bind.
      if (tries === maxPortTries || !/address already in use/i.test(logTail(spec.dataDir))) throw error;
    }
  }
}

function superviseEngine(spec: EngineSpec, port: number, first: GuardedProcess): EngineProcess {
  let current = first;
  let isRunning = true;
  let stopping: Promise<void> | undefined;
  watch(first);

  function watch(guarded: GuardedProcess): void {
    isRunning = true;
    guarded.child.once('exit', (code, signal) => {
      if (isRunning && current === guarded) {
        spec.onUnexpectedEnd?.(
          `${spec.label} ended by itself (${signal ?? `exit code ${code}`}): ${lastWords(spec.dataDir)}`,
        );
      }
      isRunning = false;
    });
  }

  async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    isRunning = false;
    await endProcess(current, signal);
  }

  async function restart(): Promise<void> {
    if (stopping) throw new EngineError(`${spec.label} was stopped for good and cannot be started again.`);
    await end('SIGTERM');
    current = await launch(spec, port);
    watch(current);
  }

  async function stop(): Promise<void> {
    // What is thrown away needs no orderly end; SecantusDB takes 2 s for one.
    await end(spec.isTemporary ? 'SIGKILL' : 'SIGTERM');
    releaseFolder(spec);
  }

  return {
    port,
    get pid() {
      return current.pid;
    },
    faults: {
      kill9: () => end('SIGKILL'),
      pause: () => void current.child.kill('SIGSTOP'),
      resume: () => void current.child.kill('SIGCONT'),
      restart,
    },
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

async function launch(spec: EngineSpec, port: number): Promise<GuardedProcess> {
  const logFile = join(spec.dataDir, 'engine.log');
  const guarded = spawnGuarded({ argv: spec.argv(port), cwd: spec.dataDir, logFile });
  const identity = processIdentity(guarded.pid);
  if (identity) updateClaim(join(spec.dataDir, claimFileName), { engine: identity });
  await withProgress(`starting ${spec.label}`, spec.onProgress, () => waitUntilReady(spec, port, guarded));
  return guarded;
}

async function waitUntilReady(spec: EngineSpec, port: number, guarded: GuardedProcess): Promise<void> {
  const deadlineMs = performance.now() + readyWithinMs;
  while (guarded.child.exitCode === null && guarded.child.signalCode === null) {
    if (await spec.isReady(port)) return;
    if (performance.now() > deadlineMs) {
      await endProcess(guarded, 'SIGKILL');
      throw new EngineError(
        `${spec.label} did not answer within ${readyWithinMs / 1000} s: ${lastWords(spec.dataDir)}`,
      );
    }
    await sleep(50);
  }
  throw new EngineError(`${spec.label} ended while it started: ${lastWords(spec.dataDir)}`);
}

async function endProcess({ child, ended }: GuardedProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  child.kill(signal);
  // A paused process takes SIGTERM only when it goes on.
  child.kill('SIGCONT');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
  await ended;
  clearTimeout(timer);
}

function releaseFolder(spec: EngineSpec): void {
  releaseClaim(join(spec.dataDir, claimFileName));
  if (spec.isTemporary) rmSync(spec.dataDir, { recursive: true, force: true });
}

function lastWords(dataDir: string): string {
  const lines = logTail(dataDir).trimEnd().split('\n');
  const word = lines.at(-1)?.trim();
  return word
    ? `its last words in ${join(dataDir, 'engine.log')} are "${word}"`
    : `its log ${join(dataDir, 'engine.log')} is empty`;
}

function logTail(dataDir: string): string {
  return readFileSync(join(dataDir, 'engine.log'), 'utf8').slice(-4000);
}
