import type { HttpRequest, HttpResponse, us_socket_context_t } from 'uWebSockets.js';
import { binarySubprotocol } from '@hushryd/contracts/realtime/limits';
import type { Identity } from '@hushryd/platform/auth/claims';
import { AppError, toAppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import { replyProblem } from '../http/replies.ts';
import type { RealtimeMetrics } from '../metrics.ts';
import type { AcceptGate } from './accept-gate.ts';
import { type AuthenticateUpgrade, isBearer } from './authenticate-upgrade.ts';
import { chooseSubprotocol, readOffered } from './choose-subprotocol.ts';
import type { Connection, SocketData } from './connection.ts';
import type { SocketLeases } from './socket-leases.ts';

export type UpgradeHandler = (res: HttpResponse, req: HttpRequest, context: us_socket_context_t) => void;

/**
 * What stands between a request for a socket and the socket: authentication, the node's rate, and how many sockets the user has here,
 * all before 101. What is refused is answered with problem details, with `Retry-After` where coming back makes sense; above the rate by a
 * `busy` frame and a close with 1013. Sockets on other nodes are counted when this one is open: see socket-leases.
 *
 * A bearer token lets the socket in at once. A ticket has to be asked for first, and only so many are at a time: what was refused gives its
 * place back.
 */
export function createUpgradeHandler({
  gate,
  authenticate,
  leases,
  connections,
  createConnection,
  timeoutMs,
  metrics,
  log,
}: {
  gate: AcceptGate;
  authenticate: AuthenticateUpgrade;
  leases: SocketLeases;
  connections: Iterable<Connection>;
  createConnection: (identity: Identity, isBinary: boolean) => Connection;
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
    // Without one authentication refuses.
    const subprotocol = chooseSubprotocol(readOffered(headers.protocols)) ?? '';

    let isInside = false;
    try {
      // A bearer token is judged before it takes a place: whoever has none that is good uses up nobody's.
      const early = isBearer(headers) ? authenticate(headers) : undefined;
      if (!enter()) return;
      const identity = early ?? authenticate(headers);
      if (identity instanceof Promise) upgradeLater(identity);
      else upgrade(admit(identity, subprotocol));
    } catch (error) {
      refuse(error);
    }

    function enter(): boolean {
      try {
        gate.enter();
        isInside = true;
      } catch (error) {
        metrics.upgrades.rate_limited += 1;
        sendAway(toAppError(error));
      }
      return isInside;
    }

    /** Pages cannot read a refused upgrade, and would all come back at once: they get a socket that says when, and no more. */
    function sendAway(error: AppError): void {
      if (error.retryAfterMs === undefined || subprotocol === '') {
        replyProblem(res, error, requestId);
        return;
      }
      const retryInMs = Math.round(error.retryAfterMs);
      res.upgrade<SocketData>({ retryInMs }, key, subprotocol, extensions, context);
    }

    function upgrade(connection: Connection): void {
      metrics.upgrades.accepted += 1;
      gate.leave();
      res.upgrade<SocketData>({ connection }, key, subprotocol, extensions, context);
    }

    function refuse(err: unknown): void {
      const error = toAppError(err);
      if (error.code === 'internal') log.error({ err }, 'upgrade failed');
      metrics.upgrades.refused += 1;
      if (isInside) gate.leave(true);
      replyProblem(res, error, requestId);
    }

    function upgradeLater(promised: Promise<Identity>): void {
      let isAborted = false;
      res.onAborted(() => {
        isAborted = true;
        metrics.upgrades.aborted += 1;
        gate.leave();
      });
      withDeadline(promised, timeoutMs)
        .then((identity) => {
          if (isAborted) return;
          const connection = admit(identity, subprotocol);
          corkSafely(res, connections, () => upgrade(connection));
        })
        .catch((error: unknown) => {
          if (!isAborted) refuse(error);
        });
    }
  };

  function admit(identity: Identity, subprotocol: string): Connection {
    leases.assertRoomHere(identity.userId);
    return createConnection(identity, subprotocol === binarySubprotocol);
  }
}

/**
 * `res.cork` for an upgrade after an await. uWS 3.0.6 now and then cuts such a socket: where its memory stays in place through the
 * upgrade, uncorking takes it for the HTTP response it was and reads a `connection: close` out of whatever lies there now
 * (github.com/uNetworking/uWebSockets/pull/1929). It does not while another socket is corked, so any other is. The first socket of a
 * node has none beside it; if it is cut, its client comes back.
 */
function corkSafely(res: HttpResponse, connections: Iterable<Connection>, work: () => void): void {
  for (const other of connections) {
    other.cork(() => res.cork(work));
    return;
  }
  res.cork(work);
}

async function withDeadline<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AppError('deadline_exceeded')), timeoutMs);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
