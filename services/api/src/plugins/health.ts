import { HealthReplySchema, LiveReplySchema, ReadyReplySchema } from '@hushryd/contracts/http/health';
import { createHealthReports, type Ping } from '@hushryd/platform/health/health-reports';
import type { ApiServer } from '../api-server.ts';

export interface HealthChecks {
  instanceId: string;
  isDraining: () => boolean;
  dependencies: Record<'redis' | 'mongodb', Ping>;
  /** Whether this node's journal takes an alert. */
  canKeepAlerts: () => boolean;
}

/**
 * The three health paths. Ready means that this node can take an SOS: into its journal, or into a store. With both stores away it is what
 * sends by itself, and a front door that left it out would leave out every node at once. Source: reliability §9.7.
 */
export function addHealth(app: ApiServer, { instanceId, isDraining, dependencies, canKeepAlerts }: HealthChecks): void {
  const needs = { canWithout: canKeepAlerts };
  const reports = createHealthReports({ service: 'api', instanceId, isDraining, needs, dependencies });
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
        summary: 'Can this node take a call for help',
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
