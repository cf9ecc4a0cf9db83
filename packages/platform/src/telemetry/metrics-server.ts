import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { ConfigError } from '../config/config-error.ts';
import type { HealthReports } from '../health/health-reports.ts';

export interface MetricsServer {
  port: number;
  close(): Promise<void>;
}

/**
 * Serve `GET /metrics` in Prometheus' text format on a listener of its own; anything else is 404.
 *
 * @param port 0 takes a free one
 * @param health of a process that has no other listener: `/health/live`, `/health/ready` and `/health` are served here too
 * @throws ConfigError when the port is taken
 */
export async function startMetricsServer({
  registry,
  host,
  port,
  health,
}: {
  registry: Registry;
  host: string;
  port: number;
  health?: HealthReports;
}): Promise<MetricsServer> {
  const answers: Readonly<Record<string, (response: ServerResponse) => Promise<unknown>>> = {
    '/metrics': async (response) => {
      const text = await registry.metrics();
      response.writeHead(200, { 'content-type': registry.contentType }).end(text);
    },
    ...(health !== undefined && healthAnswers(health)),
  };
  const server = createServer((request, response) => {
    const [path] = (request.url ?? '').split('?', 1);
    const answer = request.method === 'GET' ? answers[path ?? ''] : undefined;
    if (answer === undefined) response.writeHead(404).end();
    else answer(response).catch(() => response.writeHead(500).end());
  });
  server.headersTimeout = 5_000;
  server.requestTimeout = 5_000;

  server.listen({ host, port, exclusive: true });
  await once(server, 'listening').catch((cause: NodeJS.ErrnoException) => {
    throw new ConfigError(
      `Metrics cannot be served on ${host}:${port} (${cause.code}): set METRICS_PORT to a free port, or HOST to an address of this machine.`,
      { cause },
    );
  });
  server.unref();

  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function healthAnswers({ live, ready, health }: HealthReports) {
  return {
    '/health/live': async (response: ServerResponse) => sendJson(response, 200, live()),
    '/health/ready': async (response: ServerResponse) => {
      const body = await ready();
      sendJson(response, body.status === 'ready' ? 200 : 503, body);
    },
    '/health': async (response: ServerResponse) => sendJson(response, 200, await health()),
  };
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
