import { tripTopic } from '@hushryd/contracts/realtime/topics';
import { driverId, riderId, tripId } from '../city.ts';
import type { Issuer } from '../issuer.ts';
import { type LoadProcess, startLoad } from '../load/start-load.ts';
import { formatNumber } from '../print-table.ts';
import type { Progress } from '../progress.ts';
import type { Scope } from '../scope.ts';
import { type CrowdPlan, type GeneratorPlan, socketsOf, sourceAddress } from './plan-crowd.ts';

/** Tokens are signed as they are needed: some thousand at a time, or the first ones would be old when the last sockets open. */
const socketsPerCall = 500;
const tellEveryMs = 5_000;

/**
 * Connects the phones and riders of a plan to the servers at `ports`. Every phone has sent a first fix when this returns, and every rider
 * watches its trip.
 *
 * @throws Error when a socket is not let in, after some tries
 */
export async function openCrowd(input: {
  scope: Scope;
  plan: CrowdPlan;
  ports: readonly number[];
  issuer: Issuer;
  progress: Progress;
}): Promise<readonly LoadProcess[]> {
  const { scope, plan, progress } = input;
  const generators = await Promise.all(plan.generators.map(() => startLoad(scope)));
  const total = plan.generators.reduce((sum, generator) => sum + socketsOf(generator), 0);
  let opened = 0;
  const tell = () => progress(`${formatNumber(opened)} of ${formatNumber(total)} sockets are open`);
  const telling = setInterval(tell, tellEveryMs);
  try {
    await Promise.all(
      plan.generators.map(async (generator, index) => {
        for (const [part, open] of stepsOf(generator, input).entries()) {
          const localAddress = sourceAddress({ generator: index, part });
          const count = await open(generators[index] as LoadProcess, localAddress);
          opened += count;
        }
      }),
    );
  } finally {
    clearInterval(telling);
  }
  tell();
  return generators;
}

/** Opens some sockets and says how many. */
type Step = (generator: LoadProcess, localAddress: string) => Promise<number>;

function stepsOf({ servers }: GeneratorPlan, { ports, issuer }: { ports: readonly number[]; issuer: Issuer }): Step[] {
  return servers.flatMap(({ phones, riders }, server) => {
    const port = ports[server] as number;
    const openPhones = (trips: readonly number[]): Step => {
      return async (generator, localAddress) => {
        const drivers = trips.map((trip) => ({ driver: trip, token: issuer.token(driverId(trip), 'driver') }));
        await generator.call('openDrivers', { port, localAddress, drivers, fixesPerFrame: 1, framesInFlight: 1 });
        return trips.length;
      };
    };
    const openRiders = (trips: readonly number[]): Step => {
      return async (generator, localAddress) => {
        const listeners = trips.map((trip) => ({
          token: issuer.token(riderId(trip), 'rider'),
          topics: [tripTopic(tripId(trip))],
          driver: trip,
        }));
        await generator.call('openListeners', { port, localAddress, protocol: 'hushryd', listeners });
        return trips.length;
      };
    };
    return [...inParts(phones).map(openPhones), ...inParts(riders).map(openRiders)];
  });
}

function inParts(trips: readonly number[]): number[][] {
  const parts: number[][] = [];
  for (let at = 0; at < trips.length; at += socketsPerCall) parts.push(trips.slice(at, at + socketsPerCall));
  return parts;
}
