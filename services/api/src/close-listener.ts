import type { ApiServer } from './api-server.ts';

const sweepEveryMs = 50;

/**
 * Stop listening, let requests in flight finish for at most `withinMs`, then cut what is left.
 *
 * Node closes the connections that are idle when closing begins; one that becomes idle later (a long poll that was just answered)
 * would be kept until its keep-alive runs out, so idle ones are closed again and again until all are gone.
 */
export async function closeListener(app: ApiServer, withinMs: number): Promise<void> {
  const sweep = setInterval(() => app.server.closeIdleConnections(), sweepEveryMs);
  const cut = setTimeout(() => app.server.closeAllConnections(), withinMs);
  try {
    await app.close();
  } finally {
    clearInterval(sweep);
    clearTimeout(cut);
  }
}
