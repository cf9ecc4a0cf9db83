import { HealthReplySchema, LiveReplySchema, ReadyReplySchema } from '@hushryd/contracts/http/health';
import { createHealthReports, type Ping } from '@hushryd/platform/health/health-reports';
import type { ApiServer } from '../api-server.ts';

export interface HealthChecks {
  instanceId: string;
  isDraining: () => boolean;
  dependencies: Record<'redis' | 'mongodb', Ping>;
}

/** The three health paths. Ready with either of the stores, since some requests can then still be served. */
export function addHealth(app: ApiServer, { instanceId, isDraining, dependencies }: HealthChecks): void {
  const reports = createHealthReports({ service: 'api', instanceId, isDraining, needs: 'any', dependencies });
  const config = { roles: 'anyone' } as const;
  const tags = ['health'];

  app.get(
    '/health/live',
    {
      config,
      schema: { tags, operationId: 'getLive', summary: 'Is the process there', response: { 200: LiveReplySchema } },
    },
    () => reports.live(),
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
      const body = await reports.ready();
      return reply.code(body.status === 'ready' ? 200 : 503).send(body);
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
    () => reports.health(),
  );
}
