import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * A text that names one process for ever: its id and its start time. Process ids come back; the pair does not.
 * Undefined when no such process lives. Linux answers from /proc, others through `ps`.
 */
export function processIdentity(pid: number): string | undefined {
  const startedAt = startOf(pid);
  return startedAt === undefined ? undefined : `${pid}@${startedAt}`;
}

/** Whether the process that had this identity still lives. */
export function isAlive(identity: string): boolean {
  return processIdentity(Number.parseInt(identity, 10)) === identity;
}

function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Fields after the parenthesised program name, which may itself hold spaces: state is the 1st, start time the 20th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch (error) {
    if (process.platform === 'linux') return undefined;
    return startByPs(pid, error);
  }
}

function startByPs(pid: number, cause: unknown): string | undefined {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'latin1' }).trim() || undefined;
  } catch (error) {
    // ps exits with 1 when there is no such process.
    if (error instanceof Error && 'status' in error && error.status === 1) return undefined;
    throw new Error('processes can be told apart neither through /proc nor through ps', { cause });
  }
}
