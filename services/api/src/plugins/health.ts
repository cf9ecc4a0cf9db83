import {
  type DependencyHealth,
  HealthReplySchema,
  LiveReplySchema,
  ReadyReplySchema,
} from '@hushryd/contracts/http/health';
import { toAppError } from '@hushryd/platform/errors/app-error';
import type { ApiServer } from '../api-server.ts';

/** Asks one dependency; throws when it is not there. */
export type Ping = (deadlineMs: number) => Promise<unknown>;

export interface HealthChecks {
  instanceId: string;
  isDraining: () => boolean;
  dependencies: Record<'redis' | 'mongodb', Ping>;
}

/** `/health` has to answer within 200 ms also when a dependency hangs. */
const pingDeadlineMs = 120;

const service = 'api';

/**
 * `/health/live`: the process answers. `/health/ready`: it can do its work; not while draining, nor with both stores away, since with
 * either of them some requests can still be served. `/health`: every dependency with its latency.
 */
export function addHealth(app: ApiServer, { instanceId, isDraining, dependencies }: HealthChecks): void {
  const config = { roles: 'anyone' } as const;
  const tags = ['health'];

  app.get(
    '/health/live',
    {
      config,
      schema: { tags, operationId: 'getLive', summary: 'Is the process there', response: { 200: LiveReplySchema } },
    },
    () => ({ status: 'live', instanceId }) as const,
  );

  app.get(
    '/health/ready',
    {
      config,
      schema: {
        tags,
        operationId: 'getReady',
        summary: 'May requests be sent here',
        response: { 200: ReadyReplySchema, 503: ReadyReplySchema },
      },
    },
    async (_request, reply) => {
      if (isDraining()) return reply.code(503).send({ status: 'draining', instanceId });
      const found = await checkAll(dependencies);
      const isReady = Object.values(found).some(({ status }) => status === 'up');
      return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ready' : 'not_ready', instanceId });
    },
  );

  app.get(
    '/health',
    {
      config,
      schema: {
        tags,
        operationId: 'getHealth',
        summary: 'State of this node and all it needs',
        response: { 200: HealthReplySchema },
      },
    },
    async () => {
      const found = await checkAll(dependencies);
      return {
        status: isDraining() ? 'draining' : upOrDegraded(found),
        service,
        instanceId,
        uptimeSeconds: Math.round(process.uptime()),
        dependencies: found,
      } as const;
    },
  );
}

async function checkAll(dependencies: Record<string, Ping>): Promise<Record<string, DependencyHealth>> {
  const checks = Object.entries(dependencies).map(async ([name, ping]) => [name, await check(ping)] as const);
  return Object.fromEntries(await Promise.all(checks));
}

async function check(ping: Ping): Promise<DependencyHealth> {
  const startedAt = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const giveUp = new Promise<DependencyHealth>((resolve) => {
    timer = setTimeout(
      () => resolve({ status: 'down', reason: `no answer within ${pingDeadlineMs} ms` }),
      pingDeadlineMs,
    );
  });
  const answer = ping(pingDeadlineMs).then(
    (): DependencyHealth => ({ status: 'up', latencyMs: Math.round((performance.now() - startedAt) * 100) / 100 }),
    (error: unknown): DependencyHealth => ({ status: 'down', reason: toAppError(error).title }),
  );
  const health = await Promise.race([answer, giveUp]);
  clearTimeout(timer);
  return health;
}

function upOrDegraded(found: Record<string, DependencyHealth>): 'up' | 'degraded' {
  return Object.values(found).every(({ status }) => status === 'up') ? 'up' : 'degraded';
}
