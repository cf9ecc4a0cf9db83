import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import type { Connection } from './connection.ts';

/**
 * A ping of the websocket protocol counts as a frame: uWS answers each by itself, so a flood of them would cost us and nobody else. Above
 * the rate they count against the socket like bad frames, and too many of those close it (1008).
 */
export function countPing(connection: Connection, nowMs: number): void {
  if (connection.budget.takeFrame(connection.limits, nowMs)) return;
  if (!connection.budget.noteBadFrame(connection.limits)) {
    connection.close(closeCodes.policyViolation, 'too_many_frames');
  }
}
