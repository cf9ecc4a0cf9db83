import { setTimeout as sleep } from 'node:timers/promises';
import type { MongoClient } from 'mongodb';

/**
 * Closes a client, and gives up waiting after `withinMs`: it says goodbye to the server first, and a hung server never answers
 * that (driver 7.9 takes no deadline here).
 */
export async function closeClient(client: MongoClient, withinMs: number): Promise<void> {
  const giveUp = new AbortController();
  const timeout = sleep(withinMs, undefined, { signal: giveUp.signal, ref: false }).catch(() => undefined);
  await Promise.race([client.close(), timeout]);
  giveUp.abort();
}
