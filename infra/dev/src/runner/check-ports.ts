import { createServer } from 'node:net';
import { StartError } from '../start-error.ts';
import type { Ports } from './read-options.ts';

const purposes: Record<keyof Ports, { what: string; option: string }> = {
  api: { what: 'the API', option: '--api-port' },
  realtime: { what: 'websockets', option: '--realtime-port' },
  console: { what: 'the console', option: '--console-port' },
  internal: { what: "the API's internal listener", option: '--internal-port' },
  apiMetrics: { what: "the API's metrics", option: '--metrics-port' },
  realtimeMetrics: { what: "realtime's metrics", option: '--metrics-port' },
  workerMetrics: { what: "the worker's metrics", option: '--metrics-port' },
};

/** Looks before anything is started, so that a taken port costs a person a second. @throws StartError naming the port and its option */
export async function checkPorts(ports: Ports): Promise<void> {
  for (const name of Object.keys(purposes) as (keyof Ports)[]) {
    const fault = await tryPort(ports[name]);
    if (fault === undefined) continue;
    const { what, option } = purposes[name];
    const reason = fault === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${fault})`;
    throw new StartError(
      `Port ${ports[name]}, meant for ${what}, ${reason}: end what uses it, or choose another with ${option} N (or move all with --port-base N).`,
    );
  }
}

/** @returns why the port cannot be used */
function tryPort(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
