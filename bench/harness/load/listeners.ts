import { createLatencyHistogram, type LatencyCounts, type LatencyHistogram } from '../latency-histogram.ts';
import { dueAtMs, type FixSchedule, fixOf, isCounted } from './fix-schedule.ts';
import { openHushrydSocket, openSocketIoSocket } from './handshakes.ts';
import { inLanes } from './in-lanes.ts';
import { monotonicMs } from './monotonic.ts';
import type { RawWebSocket } from './raw-websocket.ts';
import { readNumber } from './read-number.ts';

export interface ListenerSpec {
  readonly token: string;
  /** Absent: an idle socket. */
  readonly topic?: string;
  /** Number of the driver that it will hear of; for latencies. */
  readonly driver?: number;
}

export interface ListenerCounts {
  /** Text frames since the beginning. */
  readonly frames: number;
  readonly bytes: number;
  readonly endedSockets: number;
  readonly lastEnd: string | undefined;
  /** When this was counted. */
  readonly atMs: number;
}

export interface HeardLatencies extends LatencyCounts {
  /** Counted fixes heard. */
  readonly heard: number;
}

const seqMark = Buffer.from('"seq":');
const openAtOnce = 200;

/** Sockets that only listen, thousands of them. */
export function createListeners() {
  const sockets: RawWebSocket[] = [];
  let frames = 0;
  let bytes = 0;
  let endedSockets = 0;
  let lastEnd: string | undefined;
  let schedule: FixSchedule | undefined;
  let latencies: LatencyHistogram = createLatencyHistogram();

  function hear(driver: number | undefined, buffer: Buffer, start: number, end: number): void {
    frames += 1;
    bytes += end - start;
    if (schedule === undefined || driver === undefined) return;
    const mark = buffer.indexOf(seqMark, start);
    if (mark < 0 || mark >= end) return;
    const fix = fixOf(schedule, driver, readNumber(buffer, mark + seqMark.length));
    if (isCounted(schedule, fix)) latencies.record(monotonicMs() - dueAtMs(schedule, fix));
  }

  return {
    async open(input: {
      port: number;
      protocol: 'hushryd' | 'socket.io';
      listeners: readonly ListenerSpec[];
    }): Promise<void> {
      const { port, protocol } = input;
      await inLanes(input.listeners, openAtOnce, async ({ token, topic, driver }) => {
        const onText = (buffer: Buffer, start: number, end: number) => hear(driver, buffer, start, end);
        const onEnd = (reason: string) => {
          endedSockets += 1;
          lastEnd = reason;
        };
        const handshake = { port, onText, onEnd };
        const { socket } =
          protocol === 'hushryd'
            ? await openHushrydSocket({ ...handshake, token, ...(topic !== undefined && { topic }) })
            : await openSocketIoSocket({ ...handshake, topic: topic ?? '' });
        // Held, or the garbage collector might take a socket that nothing else refers to.
        sockets.push(socket);
      });
    },
    counts: (): ListenerCounts => ({ frames, bytes, endedSockets, lastEnd, atMs: monotonicMs() }),
    /** Note the latency of each counted fix from now on. */
    watch(next: FixSchedule): void {
      schedule = next;
      latencies = createLatencyHistogram();
    },
    heardLatencies: (): HeardLatencies => ({ ...latencies.toCounts(), heard: latencies.count }),
  };
}
