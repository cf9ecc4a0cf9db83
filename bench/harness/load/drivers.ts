import { tripId } from '../city.ts';
import { findMark } from './find-mark.ts';
import { dueAtMs, type FixSchedule, ownFix, seqOf } from './fix-schedule.ts';
import { openHushrydSocket } from './handshakes.ts';
import { inLanes } from './in-lanes.ts';
import { createLocFrame, firstSeq, type LocFrame } from './loc-frame.ts';
import { monotonicMs } from './monotonic.ts';
import type { RawWebSocket } from './raw-websocket.ts';
import { readNumber } from './read-number.ts';

export interface DriverSpec {
  /** The driver's number, and the trip's. */
  readonly driver: number;
  readonly token: string;
}

export interface OpenDriversInput {
  readonly port: number;
  readonly localAddress?: string;
  readonly drivers: readonly DriverSpec[];
  readonly fixesPerFrame: number;
  readonly framesInFlight: number;
}

export interface DriverCounts {
  readonly acknowledgedFixes: number;
  /** Answers that named dropped fixes, error frames, and sockets that ended: all must stay 0. */
  readonly framesWithDrops: number;
  readonly errors: number;
  readonly endedSockets: number;
  readonly lastError: string | undefined;
  /** Of the schedule's: phones that sent and heard no `recv` at all, and frames without one. */
  readonly silentPhones: number;
  readonly unansweredFrames: number;
  /** Longest time that a due fix waited for the sender. */
  readonly latestMs: number;
  readonly atMs: number;
}

interface Phone {
  readonly driver: number;
  readonly socket: RawWebSocket;
  /** In flight at most one frame each; a frame is written again once its answer is here. */
  readonly frames: LocFrame[];
  nextFrame: number;
  nextSeq: number;
  /** Since the schedule began. */
  sentFrames: number;
  answeredFrames: number;
  onAnswer: (() => void) | undefined;
}

const openAtOnce = 200;
const firstAnswerWithinMs = 10_000;
const dropsMark = Buffer.from('"drops"');
const seqMark = Buffer.from('"seq":');

/** Drivers' phones, thousands of them: as fast as they are answered, or by a schedule. */
export function createDrivers({ onAcknowledged }: { onAcknowledged: (driver: number, seq: number) => void }) {
  let phones: readonly Phone[] = [];
  let fixesPerFrame = 1;
  let isSaturating = false;
  let isReporting = false;
  let timer: NodeJS.Timeout | undefined;
  const counts = { acknowledgedFixes: 0, framesWithDrops: 0, errors: 0, endedSockets: 0, latestMs: 0 };
  let lastError: string | undefined;

  function send(phone: Phone, nowMs: number): void {
    const frame = phone.frames[phone.nextFrame] as LocFrame;
    phone.nextFrame = (phone.nextFrame + 1) % phone.frames.length;
    frame.renumber(phone.nextSeq, nowMs);
    phone.nextSeq += fixesPerFrame;
    phone.sentFrames += 1;
    phone.socket.send(frame.bytes);
  }

  /** From then on the node knows the trip, as it does of every phone under way. */
  function sendFirst(phone: Phone): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`a first fix was not answered: ${lastError}`)),
        firstAnswerWithinMs,
      );
      phone.onAnswer = () => {
        clearTimeout(late);
        phone.onAnswer = undefined;
        resolve();
      };
      send(phone, Date.now());
    });
  }

  /** `{"type":"recv"…`: the letter after `"type":"` tells most frames apart. */
  function hear(phone: Phone | undefined, buffer: Buffer, start: number, end: number): void {
    const isRecv = buffer[start + 9] === 0x72 && buffer[start + 11] === 0x63;
    if (!isRecv) {
      notice(buffer, start, end);
      return;
    }
    counts.acknowledgedFixes += fixesPerFrame;
    if (findMark(buffer, dropsMark, start, end) >= 0) {
      counts.framesWithDrops += 1;
      lastError = buffer.toString('utf8', start, end);
    }
    if (phone === undefined) return;
    phone.answeredFrames += 1;
    phone.onAnswer?.();
    if (isReporting)
      onAcknowledged(phone.driver, readNumber(buffer, findMark(buffer, seqMark, start, end) + seqMark.length));
    if (isSaturating) send(phone, Date.now());
  }

  function notice(buffer: Buffer, start: number, end: number): void {
    const text = buffer.toString('utf8', start, end);
    if (!text.startsWith('{"type":"error"')) return;
    counts.errors += 1;
    lastError = text;
  }

  return {
    /** May be called again, for further drivers. */
    async open(input: OpenDriversInput) {
      fixesPerFrame = input.fixesPerFrame;
      const opened: Phone[] = [];
      await inLanes(input.drivers, openAtOnce, async ({ driver, token }) => {
        let phone: Phone | undefined;
        const { socket, answer } = await openHushrydSocket({
          port: input.port,
          localAddress: input.localAddress,
          token,
          isDriver: true,
          onText: (buffer, start, end) => hear(phone, buffer, start, end),
          onEnd: (reason) => {
            counts.endedSockets += 1;
            lastError = reason;
          },
        });
        const { run } = JSON.parse(answer) as { run: number };
        const frames = Array.from({ length: input.framesInFlight }, () =>
          createLocFrame({ run, tripId: tripId(driver), fixes: fixesPerFrame }),
        );
        const unsent = { nextFrame: 0, nextSeq: firstSeq, sentFrames: 0, answeredFrames: 0, onAnswer: undefined };
        phone = { driver, socket, frames, ...unsent };
        opened.push(phone);
        await sendFirst(phone);
      });
      // The schedule goes through them in this order.
      phones = [...phones, ...opened].sort((a, b) => a.driver - b.driver);
    },

    /** Every phone keeps all its frames in flight: the next goes out when one is answered. */
    startSaturating(): void {
      isSaturating = true;
      const nowMs = Date.now();
      for (const phone of phones) for (const _ of phone.frames) send(phone, nowMs);
    },
    stopSaturating(): void {
      isSaturating = false;
    },

    /** One fix after another when it is due, whatever has been answered. Each phone sends its next seq. */
    startSchedule(schedule: FixSchedule): void {
      const drivers = phones.map(({ driver }) => driver);
      for (const phone of phones) {
        phone.sentFrames = 0;
        phone.answeredFrames = 0;
      }
      counts.latestMs = 0;
      let nth = 0;
      let fix = ownFix(schedule, drivers, nth);
      clearInterval(timer);
      timer = setInterval(() => {
        const nowMs = monotonicMs();
        const wallMs = Date.now();
        while (fix < schedule.toFix && dueAtMs(schedule, fix) <= nowMs) {
          const phone = phones[nth % phones.length] as Phone;
          phone.nextSeq = seqOf(schedule, fix);
          send(phone, wallMs);
          counts.latestMs = Math.max(counts.latestMs, nowMs - dueAtMs(schedule, fix));
          nth += 1;
          fix = ownFix(schedule, drivers, nth);
        }
        if (fix >= schedule.toFix) clearInterval(timer);
      }, 1);
    },
    /** Tell `onAcknowledged` of each frame that is answered from now on, by its highest seq. */
    reportAcknowledged(isWanted: boolean): void {
      isReporting = isWanted;
    },
    /** Where each phone's numbering goes on. */
    nextSeq: (): number => phones.reduce((highest, { nextSeq }) => Math.max(highest, nextSeq), firstSeq),
    counts: (): DriverCounts => ({
      ...counts,
      silentPhones: phones.filter(({ sentFrames, answeredFrames }) => sentFrames > 0 && answeredFrames === 0).length,
      unansweredFrames: phones.reduce((sum, { sentFrames, answeredFrames }) => sum + sentFrames - answeredFrames, 0),
      lastError,
      atMs: monotonicMs(),
    }),
  };
}
