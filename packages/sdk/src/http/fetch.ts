/** The part of a `Response` that the SDK reads. */
export interface ResponseLike {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
  /** What is there of it before it is complete; only some runtimes have it, see fallback/read-body. */
  readonly body?: unknown;
}

export interface FetchInit {
  method?: string;
  headers?: object;
  body?: unknown;
  signal?: object | null;
}

/** The part of `fetch` that the SDK uses; compared like a method, so that every runtime's own fits. */
export type FetchLike = { fetch(url: string, init?: FetchInit): Promise<ResponseLike> }['fetch'];

/** The part of `AbortSignal` that the SDK uses. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

interface AbortControllerLike {
  readonly signal: AbortSignalLike;
  abort(): void;
}

/** The runtime's own `fetch`. */
export function defaultFetch(): FetchLike {
  const host = globalThis as unknown as { fetch: FetchLike };
  // Looked up at call time and called unbound: a browser's fetch refuses any other `this`.
  return (url, init) => host.fetch(url, init);
}

export function createAbortController(): AbortControllerLike {
  const { AbortController } = globalThis as unknown as { AbortController: new () => AbortControllerLike };
  return new AbortController();
}
