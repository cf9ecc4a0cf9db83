import { createServer } from 'node:net';
import { StartError } from '../start-error.ts';
import type { FrontDoorPorts, Ports } from './read-options.ts';

const purposes: Record<keyof Ports, { what: string; option: string }> = {
  api: { what: 'the API', option: '--api-port' },
  realtime: { what: 'websockets', option: '--realtime-port' },
  console: { what: 'the console', option: '--console-port' },
  internal: { what: "the API's internal listener", option: '--internal-port' },
  apiMetrics: { what: "the API's metrics", option: '--metrics-port' },
  realtimeMetrics: { what: "realtime's metrics", option: '--metrics-port' },
  workerMetrics: { what: "the worker's metrics", option: '--metrics-port' },
  sandbox: { what: 'the inbox', option: '--sandbox-port' },
};

/** Looks before anything is started, so that a taken port costs a person a second. @throws StartError naming the port and its option */
export async function checkPorts(ports: Ports, frontDoor?: FrontDoorPorts): Promise<void> {
  const wanted = (Object.keys(purposes) as (keyof Ports)[]).map((name) => ({ port: ports[name], ...purposes[name] }));
  if (frontDoor !== undefined) {
    wanted.push({ port: frontDoor.port, what: 'the front door', option: '--door-port' });
    wanted.push({ port: frontDoor.metricsPort, what: "the front door's metrics", option: '--metrics-port' });
    for (const { port, metricsPort } of frontDoor.moreNodes) {
      wanted.push({ port, what: 'websockets of a further node', option: '--realtime-port' });
      wanted.push({ port: metricsPort, what: "a further node's metrics", option: '--metrics-port' });
    }
  }
  for (const { port, what, option } of wanted) {
    const fault = await tryPort(port);
    if (fault === undefined) continue;
    const reason = fault === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${fault})`;
    throw new StartError(
      `Port ${port}, meant for ${what}, ${reason}: end what uses it, or choose another with ${option} N (or move all with --port-base N).`,
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
