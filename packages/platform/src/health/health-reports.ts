import type { DependencyHealth, HealthReply, LiveReply, ReadyReply } from '@hushryd/contracts/http/health';
import { toAppError } from '../errors/app-error.ts';
import { raceTimer } from '../lifecycle/race-timer.ts';

/** Asks one dependency; throws when it is not there. */
export type Ping = (deadlineMs: number) => Promise<unknown>;

/** Bodies of the three health paths. None of them throws. */
export interface HealthReports {
  live(): LiveReply;
  /** 200 for `ready`, else 503. */
  ready(): Promise<ReadyReply>;
  /** Always 200. */
  health(): Promise<HealthReply>;
}

/** `/health` has to answer within 200 ms also when a dependency hangs. */
const pingDeadlineMs = 120;

/**
 * `/health/live`: the process answers. `/health/ready`: it can do its work; never while draining. `/health`: every dependency with its
 * latency.
 *
 * @param needs `all`: without one of its dependencies the process can do nothing; names: without one of these it can do nothing, and the
 *   others do not count for `ready`; `canWithout`: it can do its most important work as long as one is there, and without any of them
 *   where this says so; `ready` then tells of each of them
 * Cost: one ping of every dependency a report, all at once, 120 ms at most.
 */
export function createHealthReports({
  service,
  instanceId,
  isDraining,
  needs,
  dependencies,
}: {
  service: string;
  instanceId: string;
  isDraining: () => boolean;
  needs: 'all' | readonly string[] | { canWithout: () => boolean };
  dependencies: Readonly<Record<string, Ping>>;
}): HealthReports {
  const isNeeded = (name: string) => !Array.isArray(needs) || needs.includes(name);

  async function checkAll(isMeant: (name: string) => boolean = () => true): Promise<Record<string, DependencyHealth>> {
    const meant = Object.entries(dependencies).filter(([name]) => isMeant(name));
    const checks = meant.map(async ([name, ping]) => [name, await check(ping)] as const);
    return Object.fromEntries(await Promise.all(checks));
  }

  return {
    live: () => ({ status: 'live', instanceId }),
    async ready() {
      if (isDraining()) return { status: 'draining', instanceId };
      const found = await checkAll(isNeeded);
      const all = Object.values(found);
      if (typeof needs === 'object' && 'canWithout' in needs) {
        const isAble = needs.canWithout() || all.some(isUp);
        return { status: isAble ? 'ready' : 'not_ready', instanceId, dependencies: found };
      }
      return { status: all.every(isUp) ? 'ready' : 'not_ready', instanceId };
    },
    async health() {
      const found = await checkAll();
      const upOrDegraded = Object.values(found).every(isUp) ? 'up' : 'degraded';
      return {
        status: isDraining() ? 'draining' : upOrDegraded,
        service,
        instanceId,
        uptimeSeconds: Math.round(process.uptime()),
        dependencies: found,
      };
    },
  };
}

const isUp = ({ status }: DependencyHealth) => status === 'up';

function check(ping: Ping): Promise<DependencyHealth> {
  const startedAt = performance.now();
  const answer = ping(pingDeadlineMs).then(
    (): DependencyHealth => ({ status: 'up', latencyMs: Math.round((performance.now() - startedAt) * 100) / 100 }),
    (error: unknown): DependencyHealth => ({ status: 'down', reason: toAppError(error).title }),
  );
  return raceTimer(answer, pingDeadlineMs, () => ({
    status: 'down',
    reason: `no answer within ${pingDeadlineMs} ms`,
  }));
}
