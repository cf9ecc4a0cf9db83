/** A function type that is compared like a method, so that the richer types of the DOM, Node and undici all fit. */
type Handler<Event> = { handle(event: Event): void }['handle'];

/** What goes out: JSON text, or the bytes of a binary frame. */
export type OutgoingFrame = string | Uint8Array<ArrayBuffer>;

/** The part of `WebSocket` that the SDK uses. */
export interface SocketLike {
  /** The subprotocol that the server chose, once open. A socket that does not say is taken to speak JSON. */
  readonly protocol?: string;
  /** Set to 'arraybuffer' before anything comes, where binary frames were asked for. */
  binaryType?: string;
  onopen: Handler<unknown> | null;
  onmessage: Handler<{ data: unknown }> | null;
  onclose: Handler<{ code: number; reason: string }> | null;
  onerror: Handler<unknown> | null;
  send(frame: OutgoingFrame): void;
  close(code?: number, reason?: string): void;
}

/**
 * Opens a websocket. In Node 20: `(url, protocols, headers) => new WebSocket(url, { protocols, headers })` with undici's `WebSocket`.
 * `headers` is empty unless `auth` is 'bearer'.
 */
export type CreateSocket = (url: string, protocols: string[], headers: Record<string, string>) => SocketLike;

type WebSocketClass = new (url: string, protocols: string[]) => SocketLike;

/** The runtime's own `WebSocket`. @throws Error where there is none, naming the remedy. */
export function defaultCreateSocket(): CreateSocket {
  const { WebSocket } = globalThis as unknown as { WebSocket?: WebSocketClass };
  if (!WebSocket) throw new Error('This runtime has no WebSocket: pass createSocket (in Node 20, undici exports one)');
  return (url, protocols) => new WebSocket(url, protocols);
}
