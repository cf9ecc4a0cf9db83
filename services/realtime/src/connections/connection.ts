import type { WebSocket } from 'uWebSockets.js';
import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import type { Identity } from '@hushryd/platform/auth/claims';
import type { DeliveryClass, RealtimeMetrics } from '../metrics.ts';
import type { DriverSession } from './driver-session.ts';
import { FrameBudget, type FrameLimits } from './frame-budget.ts';

/** What uWS keeps for us beside a socket. */
export interface SocketData {
  /** Absent on a socket that was opened only to be told when to come back. */
  connection?: Connection;
  retryInMs?: number;
}

/** A connection's place in a topic; left when it ends. What it means to leave is set by whom it joins. */
export interface Membership {
  leave(): void;
}

export interface ConnectionLimits extends FrameLimits {
  maxBufferBytes: number;
}

/** So that a socket filled to the brim with positions still takes some alerts; within what server.ts keeps free for close frames. */
const alertReserveBytes = 8192;

/**
 * One socket of one user, and all we keep of it. A class, and lazy in everything that not every socket has: 100,000 of these stand
 * idle beside one another.
 */
export class Connection {
  readonly id: string;
  /** `loc` and `position` are binary frames on it, see contracts/realtime/binary. */
  readonly isBinary: boolean;
  readonly budget: FrameBudget;
  identity: Identity;
  /** By topic. */
  memberships: Map<string, Membership> | undefined;
  driver: DriverSession | undefined;
  /** When its turn to be pinged comes; set by the ping wheel. */
  pingSlot = -1;
  /** How it ended, where we ended it. */
  closeCode = 0;
  readonly #limits: ConnectionLimits;
  readonly #metrics: RealtimeMetrics;
  #ws: WebSocket<SocketData> | undefined;

  constructor({
    id,
    identity,
    isBinary = false,
    limits,
    metrics,
    nowMs,
  }: {
    id: string;
    identity: Identity;
    isBinary?: boolean;
    limits: ConnectionLimits;
    metrics: RealtimeMetrics;
    /** Monotonic. */
    nowMs: number;
  }) {
    this.id = id;
    this.identity = identity;
    this.isBinary = isBinary;
    this.budget = new FrameBudget(limits, nowMs);
    this.#limits = limits;
    this.#metrics = metrics;
  }

  opened(ws: WebSocket<SocketData>): void {
    this.#ws = ws;
  }

  /** From here on the socket may not be touched: uWS has freed it. */
  closed(): void {
    this.#ws = undefined;
    if (this.memberships === undefined) return;
    for (const membership of this.memberships.values()) membership.leave();
    this.memberships = undefined;
  }

  get isOpen(): boolean {
    return this.#ws !== undefined;
  }

  get limits(): ConnectionLimits {
    return this.#limits;
  }

  /** Bytes that the socket could not take yet. */
  get bufferedBytes(): number {
    return this.#ws?.getBufferedAmount() ?? 0;
  }

  sendFrame(frame: ServerFrame, deliveryClass: DeliveryClass = 'reply'): boolean {
    return this.send(JSON.stringify(frame), deliveryClass);
  }

  /**
   * Give the socket a frame, after everything given before. One that holds too much already is closed with 4410 instead, so that
   * nothing is ever left out silently: it comes back and recovers. Alerts may use a little more room than everything else.
   *
   * @param frame JSON text, or the bytes of a binary frame
   * @returns false where the socket is gone, or was closed for this
   */
  send(frame: string | Uint8Array<ArrayBuffer>, deliveryClass: DeliveryClass): boolean {
    const ws = this.#ws;
    if (ws === undefined) return false;
    this.#metrics.produced[deliveryClass] += 1;
    // Below uWS's own limit, where a close frame would be refused like any other.
    const roomBytes = this.#limits.maxBufferBytes + (deliveryClass === 'sos' ? alertReserveBytes : 0);
    const isTooMuch = ws.getBufferedAmount() + sizeOf(frame, deliveryClass) > roomBytes;
    if (isTooMuch || ws.send(frame, typeof frame !== 'string', false) === 2) {
      this.#metrics.dropped[deliveryClass] += 1;
      this.close(closeCodes.slowConsumer, 'slow consumer');
      return false;
    }
    this.#metrics.handedOver[deliveryClass] += 1;
    return true;
  }

  /** Ask for a sign of life. A socket that cannot take it is ended by its idle time. */
  ping(): void {
    this.#ws?.ping();
  }

  /** Join or leave what `app.publish` reaches under this topic. */
  hear(topic: string): void {
    this.#ws?.subscribe(topic);
  }

  unhear(topic: string): void {
    this.#ws?.unsubscribe(topic);
  }

  /** Do something while this socket's writes are gathered. */
  cork(work: () => void): void {
    this.#ws?.cork(work);
  }

  /** End the socket with a close frame. `closed()` follows before this returns. */
  close(code: number, reason: string): void {
    const ws = this.#ws;
    if (ws === undefined) return;
    this.closeCode = code;
    this.#metrics.closed[code] = (this.#metrics.closed[code] ?? 0) + 1;
    ws.end(code, reason);
  }

  /** Cut the socket without a word. */
  cut(): void {
    this.#ws?.close();
  }
}

/** Positions and beacons are ASCII, and there are too many of them to count bytes; events and answers may say anything. */
function sizeOf(frame: string | Uint8Array<ArrayBuffer>, deliveryClass: DeliveryClass): number {
  const isPlain = deliveryClass === 'location' || deliveryClass === 'beacon' || deliveryClass === 'map';
  return typeof frame !== 'string' || isPlain ? frame.length : Buffer.byteLength(frame);
}
