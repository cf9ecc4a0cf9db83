import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import type { FetchLike } from '../http/fetch.ts';
import type { GetToken } from '../http/get-token.ts';
import type { ConnectionState } from './connection-state.ts';
import type { Runtime } from './runtime.ts';
import type { CreateSocket } from './socket.ts';

export type Encoding = 'json' | 'binary';

export interface ConnectionOptions extends Partial<Runtime> {
  /** `wss://realtime.example.com`, with or without the path `/v1/realtime`. */
  realtimeUrl: string;
  /** Origin of the API, where tickets come from: `https://api.example.com`. */
  apiUrl: string;
  /**
   * Called on every connect and a minute before the token ends. After the server refused one (401, a close with 4401, an error in answer
   * to `refresh`), with that token as `refused`: get another then, also where that one has not run out.
   */
  getToken: GetToken;
  /** 'ticket' (default) works everywhere; 'bearer' saves a request where `createSocket` can set headers. */
  auth?: 'ticket' | 'bearer';
  createSocket?: CreateSocket;
  /**
   * How fixes and positions travel; all else is JSON. 'json' (default) can be read in any developer tools. 'binary' takes a tenth of the
   * bytes and a fraction of the server's time: for apps with many phones. A server that does not speak it is spoken to in JSON.
   */
  encoding?: Encoding;
  fetch?: FetchLike;
  /** From the first step to `ready`; default 10 s. */
  connectTimeoutMs?: number;
  /** false: never go on over HTTP where no websocket can be opened. */
  fallback?: boolean;
  /** Nothing heard for this long: `ping`; for twice as long: reconnect. Default 10 s. */
  silenceMs?: number;
}

export interface ConnectionEvents {
  state: ConnectionState;
  /** true: sources are asked for frames from now on, for somebody who knows nothing of what went out before. false: no more. */
  carrying: boolean;
  /** Every frame of the server, `ready` included. */
  frame: ServerFrame;
  /** Something failed and is being handled; nothing has to be done about it. */
  error: Error;
}
