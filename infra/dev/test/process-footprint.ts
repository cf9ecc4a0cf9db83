import { readdirSync, readFileSync } from 'node:fs';

/** What a process holds of the machine. */
export interface Footprint {
  readonly residentBytes: number;
  readonly descriptors: number;
  readonly threads: number;
}

/** Read from /proc. @throws where there is no such process */
export function footprintOf(pid: number): Footprint {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return {
    residentBytes: read('VmRSS') * 1024,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: read('Threads'),
  };
}
