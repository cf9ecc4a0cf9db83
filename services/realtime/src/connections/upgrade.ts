import type { HttpRequest, HttpResponse, us_socket_context_t } from 'uWebSockets.js';
import { jsonSubprotocol } from '@hushryd/contracts/realtime/limits';
import type { Identity } from '@hushryd/platform/auth/claims';
import { AppError, toAppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import { replyProblem } from '../http/replies.ts';
import type { RealtimeMetrics } from '../metrics.ts';
import type { AcceptGate } from './accept-gate.ts';
import type { AuthenticateUpgrade } from './authenticate-upgrade.ts';
import type { Connection, SocketData } from './connection.ts';
import type { SocketLeases } from './socket-leases.ts';

export type UpgradeHandler = (res: HttpResponse, req: HttpRequest, context: us_socket_context_t) => void;

/**
 * What stands between a request for a socket and the socket: the node's rate, authentication, and the user's number of sockets, all
 * before 101. What is refused is answered with problem details, with `Retry-After` where coming back makes sense.
 */
export function createUpgradeHandler({
  gate,
  authenticate,
  leases,
  createConnection,
  timeoutMs,
  metrics,
  log,
}: {
  gate: AcceptGate;
  authenticate: AuthenticateUpgrade;
  leases: SocketLeases;
  createConnection: (identity: Identity) => Connection;
  timeoutMs: number;
  metrics: RealtimeMetrics;
  log: Logger;
}): UpgradeHandler {
  return (res, req, context) => {
    // The request is gone after this handler returns, so everything is copied out of it first.
    const requestId = req.getHeader('x-request-id');
    const key = req.getHeader('sec-websocket-key');
    const extensions = req.getHeader('sec-websocket-extensions');
    const headers = {
      origin: req.getHeader('origin'),
      authorization: req.getHeader('authorization'),
      protocols: req.getHeader('sec-websocket-protocol'),
    };
    let isAborted = false;
    res.onAborted(() => {
      isAborted = true;
    });

    try {
      gate.enter();
    } catch (error) {
      metrics.upgrades.rate_limited += 1;
      replyProblem(res, toAppError(error), requestId);
      return;
    }
    void withDeadline(admit(headers), timeoutMs, giveBack)
      .then((connection) => {
        if (isAborted) {
          metrics.upgrades.aborted += 1;
          giveBack(connection);
          return;
        }
        metrics.upgrades.accepted += 1;
        // Not inside `res.cork`: where the socket's memory stays in place through the upgrade, uWS takes it for the HTTP socket it
        // was when it uncorks, reads a `connection: close` out of it now and then, and cuts it (3.0.6, seen with strace).
        res.upgrade<SocketData>({ connection }, key, jsonSubprotocol, extensions, context);
      })
      .catch((err: unknown) => {
        const error = toAppError(err);
        if (error.code === 'internal') log.error({ err }, 'upgrade failed');
        metrics.upgrades[isAborted ? 'aborted' : 'refused'] += 1;
        if (!isAborted) replyProblem(res, error, requestId);
      })
      .finally(() => gate.leave());
  };

  async function admit(headers: Parameters<AuthenticateUpgrade>[0]): Promise<Connection> {
    const connection = createConnection(await authenticate(headers));
    await leases.take(toLease(connection));
    return connection;
  }

  function giveBack(connection: Connection): void {
    leases.release(toLease(connection));
  }
}

export const toLease = ({ id, identity }: Connection) => ({
  userId: identity.userId,
  connectionId: id,
  expiresAtMs: identity.expiresAtMs,
});

async function withDeadline<T>(work: Promise<T>, timeoutMs: number, onLate: (result: T) => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new AppError('deadline_exceeded'));
      work.then(onLate, () => undefined);
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
