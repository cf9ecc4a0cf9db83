import { createLatencyHistogram, type LatencyCounts, type LatencyHistogram } from '../latency-histogram.ts';
import { findMark } from './find-mark.ts';
import { dueAtMs, type FixSchedule, fixOf } from './fix-schedule.ts';
import { openHushrydSocket, openSocketIoSocket } from './handshakes.ts';
import { createHearing, type Heard, type Hearing } from './hearing.ts';
import { inLanes } from './in-lanes.ts';
import { monotonicMs } from './monotonic.ts';
import type { RawWebSocket } from './raw-websocket.ts';
import { readNumber } from './read-number.ts';

export interface ListenerSpec {
  readonly token: string;
  /** Absent: an idle socket. */
  readonly topics?: readonly string[];
  /** Number of the driver that it will hear of; for latencies. */
  readonly driver?: number;
}

export interface OpenListenersInput {
  readonly port: number;
  readonly localAddress?: string;
  readonly protocol: 'hushryd' | 'socket.io';
  readonly listeners: readonly ListenerSpec[];
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

/** Of the counted fixes. */
export type HeardLatencies = LatencyCounts & Heard;

const seqMark = Buffer.from('"seq":');
const positionMark = Buffer.from('{"type":"position"');
const openAtOnce = 200;

/** Bare uWS and we begin alike: `{"type":"position"`. */
export const isPosition = (buffer: Buffer, start: number): boolean =>
  positionMark.compare(buffer, start, start + positionMark.length) === 0;

/** Sockets that only listen, thousands of them. */
export function createListeners() {
  const sockets: RawWebSocket[] = [];
  let frames = 0;
  let bytes = 0;
  let endedSockets = 0;
  let lastEnd: string | undefined;
  /** By listener: the driver that it hears of. */
  const drivers: (number | undefined)[] = [];
  let schedule: FixSchedule | undefined;
  let hearing: Hearing | undefined;
  let latencies: LatencyHistogram = createLatencyHistogram();

  function hear(listener: number, buffer: Buffer, start: number, end: number): void {
    frames += 1;
    bytes += end - start;
    const driver = drivers[listener];
    if (schedule === undefined || driver === undefined) return;
    // A beacon names the newest seq as well; counted as heard, it would hide a frame that never came.
    if (!isPosition(buffer, start)) return;
    const mark = findMark(buffer, seqMark, start, end);
    if (mark < 0) return;
    const fix = fixOf(schedule, driver, readNumber(buffer, mark + seqMark.length));
    if (hearing?.note(listener, fix)) latencies.record(monotonicMs() - dueAtMs(schedule, fix));
  }

  return {
    /** May be called again, for further sockets. */
    async open(input: OpenListenersInput): Promise<void> {
      const { port, localAddress, protocol } = input;
      await inLanes(input.listeners, openAtOnce, async ({ token, topics = [], driver }) => {
        const listener = drivers.push(driver) - 1;
        const onText = (buffer: Buffer, start: number, end: number) => hear(listener, buffer, start, end);
        const onEnd = (reason: string) => {
          endedSockets += 1;
          lastEnd = reason;
        };
        const handshake = { port, localAddress, onText, onEnd };
        const { socket } =
          protocol === 'hushryd'
            ? await openHushrydSocket({ ...handshake, token, topics })
            : await openSocketIoSocket({ ...handshake, topic: topics[0] ?? '' });
        // Held, or the garbage collector might take a socket that nothing else refers to.
        sockets.push(socket);
      });
    },
    counts: (): ListenerCounts => ({ frames, bytes, endedSockets, lastEnd, atMs: monotonicMs() }),
    /** Note the latency of each counted fix from now on. */
    watch(next: FixSchedule): void {
      schedule = next;
      hearing = createHearing(next, [...drivers]);
      latencies = createLatencyHistogram();
    },
    heardLatencies(): HeardLatencies {
      if (hearing === undefined) throw new Error('nobody was told to listen for latencies');
      return { ...latencies.toCounts(), ...hearing.outcome() };
    },
    /** Read nothing more, and stay. */
    stall(): void {
      for (const socket of sockets) socket.stall();
    },
  };
}
