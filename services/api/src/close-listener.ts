import type { Socket } from 'node:net';
import type { ApiServer } from './api-server.ts';

const sweepEveryMs = 50;

/** Stop listening, let requests in flight finish for at most `withinMs`, then cut what is left. */
export type CloseListener = (withinMs: number) => Promise<void>;

/**
 * Prepare the end of a listener, before it listens.
 *
 * Node closes the connections that are idle when closing begins. One that becomes idle later (a long poll that was just answered) would
 * be kept until its keep-alive runs out, so idle ones are closed again and again. One that has never said anything (opened in advance by
 * a browser or a proxy) counts as a request that has not come yet, and would be waited for to the end: those are closed too.
 */
export function prepareClose(app: ApiServer): CloseListener {
  const open = new Set<Socket>();
  app.server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });

  return async (withinMs) => {
    const closeIdle = () => {
      app.server.closeIdleConnections();
      for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
    };
    const sweep = setInterval(closeIdle, sweepEveryMs);
    const cut = setTimeout(() => app.server.closeAllConnections(), withinMs);
    try {
      await app.close();
    } finally {
      clearInterval(sweep);
      clearTimeout(cut);
    }
  };
}
