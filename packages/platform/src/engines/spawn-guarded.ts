import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, renameSync } from 'node:fs';
import type { Writable } from 'node:stream';

/** How a process ended: its exit code or the signal that ended it. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface GuardedProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Settles when the process is gone; rejects when it could not be started. */
  readonly ended: Promise<ProcessEnd>;
}

/*
 * A shell that becomes the engine (exec keeps the pid) after it left a guard behind. The guard reads a pipe whose other end only
 * this process holds. A line means the engine is gone already; end-of-file without a line means this process died, by SIGKILL too,
 * and the guard ends the engine: politely first (SIGCONT, because a paused process takes no SIGTERM), for good after five seconds.
 */
const guardScript = `
( if ! read -r _ <&3; then
    kill -TERM $$; kill -CONT $$; n=0
    while kill -0 $$ && [ $n -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
    kill -KILL $$
  fi ) >/dev/null 2>&1 &
exec 3<&-
exec "$@"`;

/**
 * Starts a program that ends with this process, however this process ends. Its output goes to `logFile` (the one before is kept as
 * `.1`), never to a pipe: an engine must not die of a full or broken pipe. It gets a session of its own, so that Ctrl-C in a
 * terminal reaches only this process, which then closes things in order.
 */
export function spawnGuarded(input: {
  argv: readonly string[];
  cwd: string;
  logFile: string;
  /** Its whole environment; without it our own. */
  env?: NodeJS.ProcessEnv;
}): GuardedProcess {
  const log = openFreshLog(input.logFile);
  const child = spawn('/bin/sh', ['-c', guardScript, 'guard', ...input.argv], {
    cwd: input.cwd,
    detached: true,
    stdio: ['ignore', log, log, 'pipe'],
    ...(input.env && { env: input.env }),
  });
  closeSync(log);
  const guard = child.stdio[3] as Writable;
  // The guard may be gone before the line is written; then nobody needs the line.
  guard.on('error', () => guard.destroy());
  const ended = new Promise<ProcessEnd>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      guard.end('\n');
      resolve({ code, signal });
    });
  });
  // An engine alone must not keep this process alive.
  child.unref();
  (guard as Writable & { unref?: () => void }).unref?.();
  return { pid: child.pid ?? -1, child, ended };
}

function openFreshLog(path: string): number {
  try {
    renameSync(path, `${path}.1`);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  return openSync(path, 'w');
}
