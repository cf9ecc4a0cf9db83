import { setTimeout as sleep } from 'node:timers/promises';
import type { TicketReply } from '@hushryd/contracts/http/realtime';
import { tripTopic, userTopic } from '@hushryd/contracts/realtime/topics';
import type { Role } from '@hushryd/platform/auth/claims';
import { openPlainSocket, type PlainSocket } from './plain-socket.ts';
import type { System, SystemService } from './system.ts';
import type { Journey } from './traffic.ts';

/** Sockets that come and go: phones, riders, operators, by bearer and by ticket, and what is asked over HTTP beside them. */
export interface Churn {
  /**
   * Twenty at once, each for as long as it takes to be greeted and answered.
   *
   * @param urls of the nodes that they go to in turn
   * @param onSample now and then, with how many have come to each node so far
   * @returns how many came and went, and why some of them went early: told to try again where the machine was too busy to hear Redis in time
   */
  run(input: {
    urls: readonly string[];
    forMs: number;
    onSample: (socketsANode: number) => Promise<unknown>;
  }): Promise<{ count: number; refusals: readonly string[] }>;
}

const socketsAtOnce = 20;
const samplesARun = 20;
const driverCount = 50;
const answerWithinMs = 30_000;
const pauseAfterRefusalMs = 1000;

/** @param journeys trips under way that are watched; drivers are others */
export function createChurn(system: System, journeys: readonly Journey[]): Churn {
  // A node remembers the tokens that it has verified, up to a bound that a short run does not reach: with one a user it stays as it is.
  const tokens = new Map<string, string>();
  function tokenOf(userId: string, role: Role): string {
    const token = tokens.get(userId) ?? system.token(userId, role);
    tokens.set(userId, token);
    return token;
  }

  const api = (system.apis[0] as SystemService).url;

  /** @returns the answer's body, its first piece where it is a stream: then the rest is not waited for */
  async function ask(path: string, token: string, { method = 'GET', isStream = false } = {}): Promise<string> {
    const abort = new AbortController();
    const answer = await fetch(`${api}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(method === 'POST' && { 'content-type': 'application/json' }) },
      ...(method === 'POST' && { body: '{}' }),
      signal: AbortSignal.any([abort.signal, AbortSignal.timeout(answerWithinMs)]),
    });
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
    if (!isStream) return answer.text();
    const { value } = await (answer.body as ReadableStream<Uint8Array>).getReader().read();
    abort.abort();
    return Buffer.from(value ?? []).toString();
  }

  async function drive(url: string, userId: string): Promise<void> {
    const token = tokenOf(userId, 'driver');
    await withSocket(url, token, async ({ request }) => {
      await request({ type: 'refresh', token }, 'refreshed');
      const { run } = await request({ type: 'hello' }, 'welcome');
      const fix = { seq: 1, recordedAtMs: Date.now(), lat: 41, lng: -8 };
      await request({ type: 'loc', run, from: 1, fixes: [fix] }, 'recv');
    });
  }

  async function watch(url: string, { passengerId, tripId, driverId }: Journey): Promise<void> {
    await withSocket(url, tokenOf(passengerId, 'rider'), async ({ request, waitFor }) => {
      await request({ type: 'sub', topic: tripTopic(tripId) }, 'subscribed');
      await waitFor('position', ({ position }) => position.driverId === driverId);
    });
  }

  /** By ticket, as browsers come. */
  async function operate(url: string): Promise<void> {
    const token = tokenOf('churn-operator', 'operator');
    const { ticket } = JSON.parse(await ask('/v1/realtime/tickets', token, { method: 'POST' })) as TicketReply;
    await withSocket(url, { ticket }, async ({ request }) => {
      const filter = { bbox: { south: -80, west: -170, north: 80, east: 170 }, states: ['on_trip'] };
      await request({ type: 'sub', topic: 'admin:map', filter }, 'subscribed');
      await request({ type: 'sub', topic: 'admin:sos' }, 'subscribed');
      await request({ type: 'sub', topic: userTopic('churn-operator') }, 'subscribed');
    });
  }

  /** On the cars around, and on the trip over HTTP. */
  async function lookAround(url: string, { passengerId, tripId }: Journey): Promise<void> {
    const token = tokenOf(passengerId, 'rider');
    const { topic } = JSON.parse(await ask('/v1/drivers/nearby?lat=41&lng=-8', token)) as { topic: string };
    await withSocket(url, token, async ({ request }) => {
      await request({ type: 'sub', topic }, 'subscribed');
      await ask(`/v1/trips/${tripId}/events`, token, { isStream: true });
      await ask(`/v1/trips/${tripId}/location`, token);
    });
  }

  const visits = [
    (url: string, turn: number) => drive(url, `churn-${turn % driverCount}`),
    (url: string, turn: number) => watch(url, journeys[turn % journeys.length] as Journey),
    (url: string, turn: number) => lookAround(url, journeys[turn % journeys.length] as Journey),
    (url: string) => operate(url),
  ];

  return {
    async run({ urls, forMs, onSample }) {
      let turn = 0;
      const refusals: string[] = [];
      const untilMs = performance.now() + forMs;
      const lane = async () => {
        while (performance.now() < untilMs) {
          turn += 1;
          const url = urls[turn % urls.length] as string;
          // Drawn, or each node would have visits of some kinds only.
          const visit = visits[Math.floor(Math.random() * visits.length)] as (typeof visits)[number];
          try {
            await visit(url, turn);
          } catch (error) {
            refusals.push(String(error));
            await sleep(pauseAfterRefusalMs);
          }
        }
      };
      const sampling = async () => {
        while (performance.now() < untilMs) {
          await onSample(turn / urls.length);
          await sleep(forMs / samplesARun);
        }
      };
      await Promise.all([sampling(), ...Array.from({ length: socketsAtOnce }, lane)]);
      return { count: turn, refusals };
    },
  };
}

async function withSocket(
  url: string,
  auth: string | { ticket: string },
  use: (socket: PlainSocket) => Promise<void>,
): Promise<void> {
  const socket = await openPlainSocket(url, auth);
  try {
    await use(socket);
  } finally {
    await socket.close();
  }
}
