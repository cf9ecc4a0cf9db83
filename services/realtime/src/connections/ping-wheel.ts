import type { Connection } from './connection.ts';

export interface PingWheel {
  add(connection: Connection): void;
  remove(connection: Connection): void;
  /** Ping those whose turn has come; to be called every `everyMs`. @param nowMs monotonic */
  turn(nowMs: number): void;
  readonly everyMs: number;
}

const slotCount = 120;
/** uWS counts in ticks of 4 s, so a socket may end so much before its time. */
const tickMs = 4_000;
const slackMs = 1_000;

/**
 * Pings each socket twice within its idle time, at a moment of its own; one whose client sent a frame since the last round is left out.
 * The pong, as every frame, keeps uWS from ending the socket.
 *
 * uWS's own pings go out for all sockets that are due in a tick of 4 s at once, to those that only listen too, whatever they are sent.
 * Source: docs/decisions/0010-pings-in-turn.md
 *
 * Cost: 15,000 sockets are 125 pings every 50 ms.
 */
export function createPingWheel({ idleTimeoutSeconds }: { idleTimeoutSeconds: number }): PingWheel {
  const roundMs = (idleTimeoutSeconds * 1000 - tickMs) / 2;
  const freshMs = roundMs - slackMs;
  const everyMs = roundMs / slotCount;
  const slots = Array.from({ length: slotCount }, () => new Set<Connection>());
  let nextSlot = 0;
  let lastTurn: number | undefined;

  return {
    everyMs,
    add(connection) {
      connection.pingSlot = nextSlot;
      slots[nextSlot]?.add(connection);
      nextSlot = (nextSlot + 1) % slotCount;
    },
    remove(connection) {
      slots[connection.pingSlot]?.delete(connection);
    },
    turn(nowMs) {
      const turn = Math.floor(nowMs / everyMs);
      // What was passed over while the loop was busy; more than a round comes to the same sockets again.
      const first = Math.max((lastTurn ?? turn - 1) + 1, turn - slotCount + 1);
      lastTurn = turn;
      for (let passed = first; passed <= turn; passed += 1) {
        for (const connection of slots[passed % slotCount] as Set<Connection>) {
          if (nowMs - connection.budget.lastFrameAtMs >= freshMs) connection.ping();
        }
      }
    },
  };
}
