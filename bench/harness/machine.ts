import { availableParallelism, loadavg } from 'node:os';

/** Where the figures come from. */
export interface Machine {
  readonly cores: number;
  readonly node: string;
  readonly redis: string | null;
  readonly database: string | null;
}

export function describeMachine(engines: { redis: string | null; database: string | null }): Machine {
  return { cores: availableParallelism(), node: process.version, ...engines };
}

/** A sentence where others keep this machine busy; figures would be too low. */
export function warnWhenBusy(): string | undefined {
  const [load = 0] = loadavg();
  if (load < availableParallelism() * 0.5) return undefined;
  return `This machine is busy (load ${load.toFixed(1)} on ${availableParallelism()} cores): figures will be too low, ratios rough.`;
}
