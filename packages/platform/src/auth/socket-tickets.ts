import { createHash, randomBytes } from 'node:crypto';
import { AppError } from '../errors/app-error.ts';
import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import { toRedisError } from '../redis/unavailable.ts';
import type { Identity } from './claims.ts';

export interface SocketTickets {
  /** @param bearer who asks, and the web origin the request came from, if any: the ticket is good for both together only */
  issue(bearer: { identity: Identity; origin?: string | undefined }): Promise<{ ticket: string; expiresAtMs: number }>;
  /**
   * Use a ticket up.
   *
   * @returns whom it was issued to; the token's own end holds on
   * @throws AppError `ticket_invalid`: unknown, used, expired, or shown from another origin (which uses it up too)
   */
  redeem(shown: { ticket: string; origin?: string | undefined }): Promise<Identity>;
}

const ticketPattern = /^[A-Za-z0-9_-]{32}$/;

/**
 * Single-use tickets for sockets of browsers, which can set no header on a websocket: the api issues them, realtime redeems them.
 *
 * Redis holds the ticket's hash, so that reading Redis opens no socket; GETDEL makes it single use, whatever races.
 *
 * @throws AppError `redis_unavailable`
 * Cost: one SET, one GETDEL.
 */
export function createSocketTickets({
  redis,
  keys,
  lifetimeMs = 30_000,
  now = Date.now,
}: {
  redis: RedisClient;
  keys: Keys;
  lifetimeMs?: number;
  now?: () => number;
}): SocketTickets {
  return {
    async issue({ identity, origin }) {
      const ticket = randomBytes(24).toString('base64url');
      const value = JSON.stringify({ identity, origin });
      try {
        await redis.set(keys.ticket(hashTicket(ticket)), value, 'PX', lifetimeMs);
      } catch (error) {
        throw toRedisError(error);
      }
      return { ticket, expiresAtMs: now() + lifetimeMs };
    },

    async redeem({ ticket, origin }) {
      if (!ticketPattern.test(ticket)) throw new AppError('ticket_invalid');
      let value: string | null;
      try {
        value = await redis.getdel(keys.ticket(hashTicket(ticket)));
      } catch (error) {
        throw toRedisError(error);
      }
      if (value === null) throw new AppError('ticket_invalid');
      const issued = JSON.parse(value) as { identity: Identity; origin?: string };
      if (issued.origin !== origin) throw new AppError('ticket_invalid');
      return Object.freeze(issued.identity);
    },
  };
}

const hashTicket = (ticket: string): string => createHash('sha256').update(ticket).digest('base64url');
