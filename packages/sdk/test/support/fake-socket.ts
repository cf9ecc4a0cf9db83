import { decodeLocFrame } from '@hushryd/contracts/realtime/binary/loc-frame';
import type { ClientFrame } from '@hushryd/contracts/realtime/client-frames';
import { binarySubprotocol, jsonSubprotocol } from '@hushryd/contracts/realtime/limits';
import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import type { CreateSocket, SocketLike } from '../../src/connection/socket.ts';

/** The server's end of a scripted websocket. */
export interface FakeSocket {
  readonly url: string;
  readonly protocols: string[];
  readonly headers: Record<string, string>;
  /** Frames that the client sent, oldest first. */
  readonly sent: ClientFrame[];
  /** Those in JSON as they were on the wire. */
  readonly texts: string[];
  readonly binaryType: string | undefined;
  readonly isOpen: boolean;
  /** Frames of one type. */
  sentOf<Type extends ClientFrame['type']>(type: Type): Extract<ClientFrame, { type: Type }>[];
  say(frame: ServerFrame): void;
  sayText(text: string): void;
  sayBytes(bytes: Uint8Array): void;
  ready(fields?: Partial<Extract<ServerFrame, { type: 'ready' }>>): void;
  close(code: number, reason?: string): void;
}

export interface FakeSockets {
  createSocket: CreateSocket;
  readonly all: FakeSocket[];
  /** The newest. */
  readonly last: FakeSocket;
  /** The lanes that the server speaks; it chooses the first that the client offers. */
  lanes: readonly string[];
  onOpen?: (socket: FakeSocket) => void;
  onSent?: (socket: FakeSocket, frame: ClientFrame) => void;
}

/** Sockets that a test plays the server of. */
export function createFakeSockets(now: () => number): FakeSockets {
  const all: FakeSocket[] = [];
  const sockets: FakeSockets = {
    all,
    lanes: [jsonSubprotocol, binarySubprotocol],
    get last() {
      const last = all.at(-1);
      if (!last) throw new Error('No socket was opened');
      return last;
    },
    createSocket(url, protocols, headers) {
      const texts: string[] = [];
      const sent: ClientFrame[] = [];
      let isOpen = true;
      const client: SocketLike = {
        protocol: protocols.find((offered) => sockets.lanes.includes(offered)) ?? '',
        onopen: null,
        onmessage: null,
        onclose: null,
        onerror: null,
        send(data) {
          if (!isOpen) return;
          const frame = typeof data === 'string' ? (JSON.parse(data) as ClientFrame) : decodeLocFrame(data);
          if (!('type' in frame)) throw new Error(`A binary frame that is none: ${frame.detail}`);
          if (typeof data === 'string') texts.push(data);
          else if (client.protocol !== binarySubprotocol)
            throw new Error('A binary frame on a socket that speaks JSON');
          sent.push(frame);
          sockets.onSent?.(server, frame);
        },
        close() {
          isOpen = false;
        },
      };
      const server: FakeSocket = {
        url,
        protocols,
        headers,
        sent,
        texts,
        get binaryType() {
          return client.binaryType;
        },
        get isOpen() {
          return isOpen;
        },
        sentOf: <Type extends ClientFrame['type']>(type: Type) =>
          sent.filter((frame): frame is Extract<ClientFrame, { type: Type }> => frame.type === type),
        say: (frame) => server.sayText(JSON.stringify(frame)),
        sayText(text) {
          if (isOpen) client.onmessage?.({ data: text });
        },
        sayBytes(bytes) {
          if (isOpen) client.onmessage?.({ data: bytes.slice().buffer });
        },
        ready: (fields = {}) =>
          server.say({
            type: 'ready',
            connectionId: `connection-${all.length}`,
            serverTimeMs: now(),
            expiresAtMs: now() + 24 * 3_600_000,
            ...fields,
          }),
        close(code, reason = '') {
          if (!isOpen) return;
          isOpen = false;
          client.onclose?.({ code, reason });
        },
      };
      all.push(server);
      sockets.onOpen?.(server);
      return client;
    },
  };
  return sockets;
}
