import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@hushryd/platform/engines/ports';
import type { TestScope } from '@hushryd/platform/testing/engines';
import type { BackendPorts } from '../src/front-door/backends-config.ts';
import { findHaproxy } from '../src/front-door/find-haproxy.ts';
import { type FrontDoor, type FrontDoorOptions, startFrontDoor } from '../src/front-door/start-front-door.ts';
import type { System, SystemService } from './system.ts';

export type TestDoor = FrontDoor & { readonly metricsUrl: string };

/** Absolute path of the configuration that production has. */
export const configDir = join(import.meta.dirname, '../../deploy/haproxy');

/** @returns the reason to skip, where there is no HAProxy and none can be installed */
export async function whyNoFrontDoor(): Promise<string | false> {
  const haproxy = await findHaproxy();
  return 'reason' in haproxy ? haproxy.reason : false;
}

/** HAProxy before these ports, for one test. */
export async function openFrontDoor(
  t: TestScope,
  backends: BackendPorts,
  options: Pick<FrontDoorOptions, 'edit' | 'maxConnectionsPerAddress'> = {},
): Promise<TestDoor> {
  const haproxy = await findHaproxy();
  if ('reason' in haproxy) throw new Error(haproxy.reason);
  const folder = await mkdtemp(join(tmpdir(), 'hushryd-door-log-'));
  const [port, metricsPort] = [await freePort(), await freePort()];
  const door = await startFrontDoor({
    program: haproxy.program,
    configDir,
    logFile: join(folder, 'front-door.log'),
    port,
    metricsPort,
    backends,
    ...options,
  });
  t.teardown(async () => {
    await door.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return { ...door, metricsUrl: `http://127.0.0.1:${metricsPort}` };
}

/** The same system, spoken to through its front door alone. */
export function throughDoor(system: System, { url }: FrontDoor): System {
  return {
    ...system,
    connectionOptions: (userId, role) => ({
      ...system.connectionOptions(userId, role),
      realtimeUrl: `${url}/ws`,
      apiUrl: `${url}/api`,
    }),
  };
}

export const portsOf = (services: readonly SystemService[]): number[] =>
  services.map(({ url }) => Number(new URL(url).port));
