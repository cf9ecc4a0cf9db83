import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { ConfigError } from '../config/config-error.ts';

export interface MetricsServer {
  port: number;
  close(): Promise<void>;
}

/**
 * Serve `GET /metrics` in Prometheus' text format on a listener of its own; anything else is 404.
 *
 * @param port 0 takes a free one
 * @throws ConfigError when the port is taken
 */
export async function startMetricsServer({
  registry,
  host,
  port,
}: {
  registry: Registry;
  host: string;
  port: number;
}): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const [path] = (request.url ?? '').split('?', 1);
    if (request.method !== 'GET' || path !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
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
