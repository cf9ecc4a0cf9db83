import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * Runs a program in a process group of its own, line by line, and ends the whole group when `signal` aborts.
 *
 * @returns its exit code; 130 when it was ended by a signal
 */
export function runChild(input: {
  command: string;
  args: readonly string[];
  cwd: string;
  env: Record<string, string | undefined>;
  signal: AbortSignal;
  onLine: (line: string) => void;
  onErrorLine: (line: string) => void;
}): Promise<number> {
  const { command, args, cwd, env, signal } = input;
  if (signal.aborted) return Promise.resolve(130);
  const child = spawn(command, [...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const end = (): void => endGroup(child.pid);
  signal.addEventListener('abort', end, { once: true });

  createInterface({ input: child.stdout }).on('line', input.onLine);
  createInterface({ input: child.stderr }).on('line', input.onErrorLine);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    // `close`, not `exit`: the last lines must have been read.
    child.once('close', (code) => {
      signal.removeEventListener('abort', end);
      resolve(code ?? 130);
    });
  });
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGTERM');
  } catch (error) {
    // The group ended by itself.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
