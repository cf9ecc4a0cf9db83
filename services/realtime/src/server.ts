import uWS, { type TemplatedApp, type us_listen_socket, type WebSocket } from 'uWebSockets.js';
import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import { realtimePath } from '@hushryd/contracts/realtime/limits';
import type { BusyFrame } from '@hushryd/contracts/realtime/server-frames';
import { ConfigError } from '@hushryd/platform/config/config-error';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Connection, SocketData } from './connections/connection.ts';
import type { UpgradeHandler } from './connections/upgrade.ts';
import type { Dispatch } from './frames/dispatch.ts';
import { replyProblem } from './http/replies.ts';

export interface SocketServer {
  readonly app: TemplatedApp;
  /** @returns the port, which is ours alone @throws ConfigError where it is taken */
  listen(host: string, port: number): number;
  /** Take no further sockets or requests; open ones stay. */
  stopListening(): void;
  /** Cut whatever is still open. */
  close(): void;
}

export interface SocketRoute {
  upgrade: UpgradeHandler;
  dispatch: Dispatch;
  onOpen(connection: Connection): void;
  /** The client pinged by the websocket protocol; uWS has answered. */
  onPing(connection: Connection): void;
  onDrain(connection: Connection): void;
  /** @param code what the client said, or 1006 where nobody said anything */
  onClose(connection: Connection, code: number): void;
  idleTimeoutSeconds: number;
  maxBufferBytes: number;
}

/** uWS cuts a frame above this without a close code; frames between our limit and this one get 1009. */
const hardFrameBytes = 32_768;
/** uWS refuses everything above its limit, close frames too. Ours is below, so there is room to say why. */
const closeFrameReserveBytes = 16_384;
/** LIBUS_LISTEN_EXCLUSIVE_PORT, which the types know only as a type. */
const exclusivePort = 1;

/** The uWebSockets.js app: routes are added to `app`, then it listens. */
export function createServer(): SocketServer {
  const app = uWS.App();
  let listening: us_listen_socket | undefined;

  return {
    app,
    listen(host, port) {
      // Last, so that it catches only what no other route did.
      app.any('/*', (res, req) => {
        const isSocketPath = req.getUrl() === realtimePath;
        const error = isSocketPath
          ? new AppError('request_invalid', { detail: 'a websocket handshake is expected here' })
          : new AppError('not_found');
        replyProblem(res, error, req.getHeader('x-request-id'));
      });
      listenExclusively(app, host, port, (socket) => {
        listening = socket;
      });
      if (listening === undefined) {
        throw new ConfigError(
          `Port ${port} on ${host} cannot be listened on: end the program that has it, or set PORT or HOST to another.`,
        );
      }
      return uWS.us_socket_local_port(listening);
    },
    stopListening() {
      if (listening !== undefined) uWS.us_listen_socket_close(listening);
      listening = undefined;
    },
    close() {
      listening = undefined;
      app.close();
    },
  };
}

/**
 * The one websocket route. No compression: it costs memory a socket (100 KiB of window) and time a frame that fan-out does not have.
 */
export function addSocketRoute(app: TemplatedApp, route: SocketRoute): void {
  app.ws<SocketData>(realtimePath, {
    compression: uWS.DISABLED,
    maxPayloadLength: hardFrameBytes,
    maxBackpressure: route.maxBufferBytes + closeFrameReserveBytes,
    closeOnBackpressureLimit: 1,
    idleTimeout: route.idleTimeoutSeconds,
    // They would go to thousands at once: see connections/ping-wheel.ts.
    sendPingsAutomatically: false,
    upgrade: route.upgrade,
    open(ws) {
      const { connection, retryInMs = 0 } = ws.getUserData();
      if (connection === undefined) return sendAway(ws, retryInMs);
      connection.opened(ws);
      route.onOpen(connection);
    },
    message(ws, message, isBinary) {
      const { connection } = ws.getUserData();
      if (connection !== undefined) route.dispatch(connection, message, isBinary);
    },
    ping(ws) {
      const { connection } = ws.getUserData();
      if (connection !== undefined) route.onPing(connection);
    },
    drain(ws) {
      const { connection } = ws.getUserData();
      if (connection !== undefined) route.onDrain(connection);
    },
    close(ws, code) {
      const { connection } = ws.getUserData();
      if (connection === undefined) return;
      connection.closed();
      route.onClose(connection, code);
    },
  });
}

function sendAway(ws: WebSocket<SocketData>, retryInMs: number): void {
  const frame: BusyFrame = { type: 'busy', retryInMs };
  ws.send(JSON.stringify(frame), false, false);
  ws.end(closeCodes.tryAgainLater, 'overloaded');
}

/**
 * Two uWS processes share a port without an error unless they ask not to. uWS calls back before `listen` returns. Its types know
 * host and option only one at a time; the addon takes both.
 */
function listenExclusively(
  app: TemplatedApp,
  host: string,
  port: number,
  onListening: (socket: us_listen_socket) => void,
): void {
  const listen = app.listen.bind(app) as unknown as (
    host: string,
    port: number,
    options: number,
    callback: (socket: us_listen_socket | false) => void,
  ) => void;
  listen(host, port, exclusivePort, (socket) => {
    if (socket) onListening(socket);
  });
}
