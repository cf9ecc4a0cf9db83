import { join } from 'node:path';
import type { OnProgress } from '@hushryd/platform/engines/engine';
import { findHaproxy } from '../front-door/find-haproxy.ts';
import { startFrontDoor } from '../front-door/start-front-door.ts';
import { StartError } from '../start-error.ts';
import type { Closing } from './closing.ts';
import { readLogTail } from './read-log-tail.ts';
import type { FrontDoorPorts, Ports } from './read-options.ts';
import type { Crash } from './service-process.ts';
import { waitUntilReady } from './wait-until-ready.ts';

/** @returns path of haproxy @throws StartError with the remedy where there is none */
export async function needHaproxy(onProgress: OnProgress): Promise<string> {
  const haproxy = await findHaproxy(onProgress);
  if ('reason' in haproxy) throw new StartError(haproxy.reason);
  return haproxy.program;
}

/** Start HAProxy before the services of this start, and wait until it lets requests through. */
export async function openFrontDoor(input: {
  options: { ports: Ports };
  frontDoor: FrontDoorPorts;
  haproxy: string;
  rootDir: string;
  logsDir: string;
  closing: Closing;
  signal: AbortSignal;
  onCrash: (crash: Crash) => void;
}): Promise<void> {
  const { frontDoor, rootDir, closing, onCrash } = input;
  const { ports } = input.options;
  const logFile = join(input.logsDir, 'front-door.log');
  let isStopping = false;
  const door = await startFrontDoor({
    program: input.haproxy,
    configDir: join(rootDir, 'infra/deploy/haproxy'),
    logFile,
    port: frontDoor.port,
    metricsPort: frontDoor.metricsPort,
    backends: {
      apis: [ports.api],
      realtimes: [ports.realtime, ...frontDoor.moreNodes.map(({ port }) => port)],
      consoles: [ports.console],
    },
  });
  const stop = () => {
    isStopping = true;
    return door.stop();
  };
  closing.add({ name: 'the front door', stop });
  void door.ended.then(() => {
    if (!isStopping) {
      onCrash({ sentence: `The front door ended by itself; the end of ${logFile}:`, logTail: readLogTail(logFile) });
    }
  });
  await waitUntilReady({ name: 'the front door', url: `${door.url}/api/health/ready`, signal: input.signal });
}
