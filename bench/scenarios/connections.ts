import { riderId } from '../harness/city.ts';
import type { BareUwsCommands } from '../harness/contenders/bare-uws.ts';
import { interleave } from '../harness/interleave.ts';
import type { ListenerSpec } from '../harness/load/listeners.ts';
import { startLoad } from '../harness/load/start-load.ts';
import { measure } from '../harness/measurement.ts';
import { formatNumber } from '../harness/print-table.ts';
import { residentBytesOf } from '../harness/processes/process-usage.ts';
import { startHelper } from '../harness/processes/start-helper.ts';
import type { Scenario } from '../harness/scenario.ts';
import { createScope, type Scope } from '../harness/scope.ts';
import { sleepMs } from '../harness/sleep.ts';
import { createSystem } from '../harness/system.ts';

const socketCount = 15_000;
const settleMs = 3000;

/**
 * What a connection costs that is signed in and says nothing: the growth of resident memory, with the garbage of 15,000 handshakes and
 * all code that ran for the first time. A fresh process each time: memory that was freed once would be used again unseen.
 */
export const connections: Scenario = {
  name: 'connections',
  summary: `resident memory for each of ${formatNumber(socketCount)} idle connections`,
  maxSeconds: 240,
  async run(stage) {
    const system = await createSystem(stage);
    const listeners = Array.from({ length: socketCount }, (_, rider) => ({
      token: system.issuer.token(riderId(rider), 'rider'),
    }));
    const samples = await interleave({
      rounds: stage.rounds,
      progress: stage.progress,
      contenders: {
        ours: () =>
          inOwnScope(async (scope) => bytesPerConnection(scope, await system.startRealtime(scope), listeners)),
        'bare uWS': () => inOwnScope(async (scope) => bytesPerConnection(scope, await startBareUws(scope), listeners)),
      },
      describe: (bytes) => `${formatNumber(bytes / 1024)} KiB`,
    });
    return [
      measure({
        scenario: 'connections',
        metric: 'resident memory, idle connection',
        unit: 'KiB',
        ours: samples.ours.map(toKibibytes),
        baseline: { name: 'bare uWS', samples: samples['bare uWS'].map(toKibibytes) },
        limits: [{ atMost: 8 }],
      }),
    ];
  },
};

const toKibibytes = (bytes: number): number => bytes / 1024;

async function inOwnScope<T>(work: (scope: Scope) => Promise<T>): Promise<T> {
  const scope = createScope((error) => console.error(error));
  try {
    return await work(scope);
  } finally {
    await scope.close();
  }
}

async function startBareUws(scope: Scope): Promise<{ pid: number; port: number }> {
  const server = await startHelper<BareUwsCommands>(scope, {
    module: new URL('../harness/contenders/bare-uws', import.meta.url),
  });
  return { pid: server.pid, port: await server.call('listen') };
}

async function bytesPerConnection(
  scope: Scope,
  { pid, port }: { pid: number; port: number },
  listeners: readonly ListenerSpec[],
): Promise<number> {
  const load = await startLoad(scope);
  await sleepMs(settleMs);

  const before = residentBytesOf(pid);
  await load.call('openListeners', { port, protocol: 'hushryd', listeners });
  await sleepMs(settleMs);
  const after = residentBytesOf(pid);

  const { endedSockets, lastEnd } = await load.call('listenerCounts');
  if (endedSockets > 0) throw new Error(`${endedSockets} sockets were lost: ${lastEnd}`);
  return (after - before) / listeners.length;
}
