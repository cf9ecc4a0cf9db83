import autocannon from 'autocannon';
import { serveCommands } from '../processes/serve-commands.ts';

export interface HttpLoadInput {
  readonly url: string;
  /** Asked in turn by each connection, each from a place of its own on: in step they would ask for the same thing at the same time. */
  readonly requests: readonly { readonly path: string; readonly headers?: Readonly<Record<string, string>> }[];
  readonly connections: number;
  readonly seconds: number;
  /** Of all connections together, each request when it is due; without it as many as are answered. */
  readonly requestsPerSecond?: number;
}

export interface HttpLoadResult {
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
  /** Answers other than 2xx, and requests without one: must be 0. */
  readonly failures: number;
}

const commands = {
  /** One request after another on each connection. */
  async run({ url, requests, connections, seconds, requestsPerSecond }: HttpLoadInput): Promise<HttpLoadResult> {
    const lap = requests.map(({ path, headers }) => ({ method: 'GET' as const, path, headers: { ...headers } }));
    let connection = 0;
    const result = await autocannon({
      url,
      connections,
      pipelining: 1,
      duration: seconds,
      ...(requestsPerSecond !== undefined && { overallRate: requestsPerSecond }),
      requests: lap,
      setupClient(client) {
        const start = Math.floor((connection * lap.length) / connections) % lap.length;
        connection += 1;
        client.setRequests([...lap.slice(start), ...lap.slice(0, start)]);
      },
    });
    return {
      requestsPerSecond: result['2xx'] / result.duration,
      p99Ms: result.latency.p99,
      failures: result.non2xx + result.errors + result.timeouts,
    };
  },
};

export type HttpLoadCommands = typeof commands;

serveCommands(commands);
