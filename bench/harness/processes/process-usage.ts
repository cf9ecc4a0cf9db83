import { readFileSync } from 'node:fs';

/** Kernel clock ticks a second as /proc counts them: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** CPU time that a process has used so far, in seconds; undefined where the system has no /proc. */
export function cpuSecondsOf(pid: number): number | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The second field, a name in parentheses, may hold blanks.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Memory of a process that lies in RAM, in bytes. @throws Error where the system has no /proc */
export function residentBytesOf(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  if (kibibytes === undefined) throw new Error('resident memory can be read on Linux only');
  return Number(kibibytes) * 1024;
}

/** Share of a core that a process used since `start()`, in percent. */
export function createCpuMeter(pid: number) {
  const startedAtMs = performance.now();
  const usedBefore = cpuSecondsOf(pid);
  return {
    percent(): number {
      const used = cpuSecondsOf(pid);
      if (used === undefined || usedBefore === undefined) return Number.NaN;
      return ((used - usedBefore) * 100_000) / (performance.now() - startedAtMs);
    },
  };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // No such process any more, or no /proc at all: there is nothing to say.
    return undefined;
  }
}
