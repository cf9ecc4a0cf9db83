import { createHash, randomBytes } from 'node:crypto';
import { AppError } from '../errors/app-error.ts';
import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import { toRedisError } from '../redis/unavailable.ts';
import type { Identity } from './claims.ts';

export const ticketLifeMs = 30_000;

export interface Tickets {
  /** @param origin the request's Origin header, undefined where it had none @throws AppError `redis_unavailable` */
  issue(grant: { identity: Identity; origin: string | undefined }): Promise<{ ticket: string; expiresAtMs: number }>;
  /**
   * The identity behind a ticket, which is used up by asking.
   *
   * @param origin the upgrade's Origin header; must be what it was when the ticket was issued, both may be missing
   * @throws AppError `ticket_invalid` (unknown, used, expired, other origin), `redis_unavailable`
   */
  redeem(presented: { ticket: string; origin: string | undefined }): Promise<Identity>;
}

/**
 * Single-use tickets, with which a browser opens its websocket: it cannot send headers there, and a token in a URL ends in logs.
 *
 * A ticket is 192 random bits; Redis holds its SHA-256 for 30 s with user, role, origin and the end of the token behind it, so whoever
 * reads Redis cannot use one.
 *
 * Cost: one SET; one GETDEL.
 */
export function createTickets({
  redis,
  keys,
  now = Date.now,
}: {
  redis: RedisClient;
  keys: Keys;
  now?: () => number;
}): Tickets {
  return {
    async issue({ identity, origin = null }: { identity: Identity; origin?: string | null | undefined }) {
      const ticket = randomBytes(24).toString('base64url');
      const value = JSON.stringify({ identity, origin } satisfies StoredTicket);
      await redis.set(keys.ticket(hashOf(ticket)), value, 'PX', ticketLifeMs).catch(refuse);
      return { ticket, expiresAtMs: now() + ticketLifeMs };
    },

    async redeem({ ticket, origin = null }: { ticket: string; origin?: string | null | undefined }) {
      if (!ticketFormat.test(ticket)) throw new AppError('ticket_invalid');
      const value = await redis.getdel(keys.ticket(hashOf(ticket))).catch(refuse);
      if (value === null) throw new AppError('ticket_invalid');
      const stored = JSON.parse(value) as StoredTicket;
      if (stored.origin !== origin || stored.identity.expiresAtMs <= now()) throw new AppError('ticket_invalid');
      return stored.identity;
    },
  };
}

interface StoredTicket {
  identity: Identity;
  origin: string | null;
}

const ticketFormat = /^[A-Za-z0-9_-]{32}$/;

const hashOf = (ticket: string): string => createHash('sha256').update(ticket).digest('base64url');

function refuse(error: unknown): never {
  throw toRedisError(error);
}
