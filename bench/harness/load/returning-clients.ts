import { backoffDelayMs } from '@hushryd/sdk/connection/backoff';
import { createLatencyHistogram, type LatencyCounts } from '../latency-histogram.ts';
import { sleepMs } from '../sleep.ts';
import { openHushrydSocket } from './handshakes.ts';
import { inLanes } from './in-lanes.ts';
import type { ListenerSpec } from './listeners.ts';
import { monotonicMs } from './monotonic.ts';
import type { RawWebSocket } from './raw-websocket.ts';

export interface OpenReturningInput {
  /** Where they connect first. */
  readonly port: number;
  /** Where they look for a node afterwards, in turn. */
  readonly otherPorts: readonly number[];
  readonly localAddress: string;
  readonly clients: readonly ListenerSpec[];
}

export interface Returns extends LatencyCounts {
  readonly dropped: number;
  readonly back: number;
  /** Tries that failed: refused, or cut. */
  readonly failedTries: number;
  /** When the first was dropped and when the last came back, of all so far. */
  readonly firstDropAtMs: number;
  readonly lastBackAtMs: number;
}

const openAtOnce = 200;
/** Twenty tries take more than two minutes. */
const maxTries = 20;

/** Clients that come back by the protocol's backoff when their socket ends, and subscribe again. */
export function createReturningClients() {
  const sockets = new Set<RawWebSocket>();
  const delays = createLatencyHistogram();
  const counts = { dropped: 0, back: 0, failedTries: 0, firstDropAtMs: Number.POSITIVE_INFINITY, lastBackAtMs: 0 };

  /** @param tries without it a few, with growing pauses: the node takes only so many a second */
  async function connect(input: OpenReturningInput, client: ListenerSpec, port: number, tries?: number): Promise<void> {
    const { socket } = await openHushrydSocket({
      port,
      localAddress: input.localAddress,
      token: client.token,
      topics: client.topics ?? [],
      ...(tries !== undefined && { maxAttempts: tries }),
      onText: () => undefined,
      onEnd: () => {
        sockets.delete(socket);
        void comeBack(input, client);
      },
    });
    sockets.add(socket);
  }

  async function comeBack(input: OpenReturningInput, client: ListenerSpec): Promise<void> {
    const droppedAtMs = monotonicMs();
    counts.dropped += 1;
    counts.firstDropAtMs = Math.min(counts.firstDropAtMs, droppedAtMs);
    for (let attempt = 0; attempt < maxTries; attempt += 1) {
      await sleepMs(backoffDelayMs({ attempt, random: Math.random }));
      try {
        await connect(input, client, input.otherPorts[attempt % input.otherPorts.length] as number, 1);
      } catch {
        // Counted; the next try is the answer to it.
        counts.failedTries += 1;
        continue;
      }
      counts.back += 1;
      counts.lastBackAtMs = monotonicMs();
      delays.record(counts.lastBackAtMs - droppedAtMs);
      return;
    }
  }

  return {
    async open(input: OpenReturningInput): Promise<void> {
      await inLanes(input.clients, openAtOnce, (client) => connect(input, client, input.port));
    },
    returns: (): Returns => ({ ...delays.toCounts(), ...counts }),
  };
}
