import { readFileSync } from 'node:fs';

/** As low as systems come; their users raise it. */
const lowestUsual = 1_024;

/** How many files a process that is started from here may have open: Node raises its soft limit as far as it may go. */
export function readFilesLimit(): number {
  try {
    return parseFilesLimit(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    // No /proc.
    return lowestUsual;
  }
}

/** The soft limit in the text of `/proc/<pid>/limits`; Infinity where there is none. */
export function parseFilesLimit(text: string): number {
  const soft = /^Max open files\s+(\S+)/m.exec(text)?.[1];
  if (soft === undefined) return lowestUsual;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}
