import type { HttpResponse, TemplatedApp } from 'uWebSockets.js';
import type { DependencyHealth, HealthReply, ReadyReplySchema } from '@hushryd/contracts/http/health';
import { raceTimer } from '@hushryd/platform/lifecycle/race-timer';
import type { Static } from 'typebox';
import { replyJson } from './replies.ts';

/** Asks one dependency. @returns latency in milliseconds @throws when it does not answer within `deadlineMs` */
export type Probe = (deadlineMs: number) => Promise<number>;

/** `/health` promises an answer within 200 ms, whatever hangs. */
const probeDeadlineMs = 150;

/**
 * `/health/live`: the process runs. `/health/ready`: it can take sockets and fixes; not without Redis, not while draining.
 * `/health`: every dependency with its latency, always 200.
 */
export function addHealthRoutes(
  app: TemplatedApp,
  {
    instanceId,
    probes,
    isDraining,
  }: { instanceId: string; probes: { redis: Probe; internalApi: Probe }; isDraining: () => boolean },
): void {
  const startedAtMs = performance.now();

  app.get('/health/live', (res) => replyJson(res, 200, { status: 'live', instanceId }));

  app.get('/health/ready', (res) =>
    replyLater(res, async () => {
      const redis = await ask(probes.redis);
      const canWork = redis.status === 'up' ? 'ready' : 'not_ready';
      const status = isDraining() ? 'draining' : canWork;
      const body: Static<typeof ReadyReplySchema> = { status, instanceId };
      return { code: status === 'ready' ? 200 : 503, body };
    }),
  );

  app.get('/health', (res) =>
    replyLater(res, async () => {
      const [redis, internalApi] = await Promise.all([ask(probes.redis), ask(probes.internalApi)]);
      const isUp = redis.status === 'up' && internalApi.status === 'up';
      const health = isUp ? 'up' : 'degraded';
      const body: HealthReply = {
        status: isDraining() ? 'draining' : health,
        service: 'realtime',
        instanceId,
        uptimeSeconds: Math.round(performance.now() - startedAtMs) / 1000,
        dependencies: { redis, internalApi },
      };
      return { code: 200, body };
    }),
  );
}

function ask(probe: Probe): Promise<DependencyHealth> {
  const late: DependencyHealth = { status: 'down', reason: `no answer within ${probeDeadlineMs} ms` };
  const answer = probe(probeDeadlineMs).then(
    (latencyMs): DependencyHealth => ({ status: 'up', latencyMs: Math.round(latencyMs * 10) / 10 }),
    () => late,
  );
  return raceTimer(answer, probeDeadlineMs, () => late);
}

function replyLater(res: HttpResponse, answer: () => Promise<{ code: number; body: object }>): void {
  let isAborted = false;
  res.onAborted(() => {
    isAborted = true;
  });
  void answer().then(({ code, body }) => {
    if (!isAborted) replyJson(res, code, body);
  });
}
