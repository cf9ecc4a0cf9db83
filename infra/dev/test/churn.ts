import { setTimeout as sleep } from 'node:timers/promises';
import { tripTopic } from '@hushryd/contracts/realtime/topics';
import type { Role } from '@hushryd/platform/auth/claims';
import { openPlainSocket } from './plain-socket.ts';
import type { System } from './system.ts';
import type { Journey } from './traffic.ts';

/** Sockets that come and go. */
export interface Churn {
  /**
   * Twenty at once, each for as long as it takes to be greeted and answered.
   *
   * @param urls of the nodes that they go to in turn
   * @param onSample now and then, with how many have come to each node so far
   * @returns how many came and went
   */
  run(input: {
    urls: readonly string[];
    forMs: number;
    onSample: (socketsANode: number) => Promise<unknown>;
  }): Promise<number>;
}

const socketsAtOnce = 20;
const samplesARun = 20;
const driverCount = 50;

/** @param journeys trips under way that are watched; drivers are others */
export function createChurn(system: System, journeys: readonly Journey[]): Churn {
  // A node remembers the tokens that it has verified, up to a bound that a short run does not reach: with one a user it stays as it is.
  const tokens = new Map<string, string>();
  function tokenOf(userId: string, role: Role): string {
    const token = tokens.get(userId) ?? system.token(userId, role);
    tokens.set(userId, token);
    return token;
  }

  async function drive(url: string, userId: string): Promise<void> {
    const socket = await openPlainSocket(url, tokenOf(userId, 'driver'));
    const { run } = await socket.request({ type: 'hello' }, 'welcome');
    const fix = { seq: 1, recordedAtMs: Date.now(), lat: 41, lng: -8 };
    await socket.request({ type: 'loc', run, from: 1, fixes: [fix] }, 'recv');
    await socket.close();
  }

  async function watch(url: string, { passengerId, tripId, driverId }: Journey): Promise<void> {
    const socket = await openPlainSocket(url, tokenOf(passengerId, 'rider'));
    await socket.request({ type: 'sub', topic: tripTopic(tripId) }, 'subscribed');
    await socket.waitFor('position', ({ position }) => position.driverId === driverId);
    await socket.close();
  }

  return {
    async run({ urls, forMs, onSample }) {
      let turn = 0;
      const untilMs = performance.now() + forMs;
      const lane = async () => {
        while (performance.now() < untilMs) {
          turn += 1;
          const url = urls[turn % urls.length] as string;
          if (turn % 3 === 0) await drive(url, `churn-${turn % driverCount}`);
          else await watch(url, journeys[turn % journeys.length] as Journey);
        }
      };
      const sampling = async () => {
        while (performance.now() < untilMs) {
          await onSample(turn / urls.length);
          await sleep(forMs / samplesARun);
        }
      };
      await Promise.all([sampling(), ...Array.from({ length: socketsAtOnce }, lane)]);
      return turn;
    },
  };
}
