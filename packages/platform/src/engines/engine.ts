/** Where an engine came from: a URL (somebody else's), a program on PATH, one that apt just installed, or the embedded server. */
export type EngineSource = 'url' | 'path' | 'installed' | 'embedded';

/** A step that may take long, told at its start and once a second while it lasts. */
export interface ProgressStep {
  readonly what: string;
  readonly elapsedSeconds: number;
}
export type OnProgress = (step: ProgressStep) => void;

/** What callers may ask of `findRedis` and `findMongo`. */
export interface FindEngineOptions {
  /** Somebody's own server (REDIS_URL, MONGODB_URL). It is used as it is: never stopped, never emptied. Empty means absent. */
  readonly url?: string | undefined;
  /** Port on 127.0.0.1 for an engine that is started here; a free one without it. */
  readonly port?: number | undefined;
  /** Folder of an engine that is started here. Default: `.hushryd/<engine>` when persistent, else a temporary one, removed by `stop()`. */
  readonly dataDir?: string | undefined;
  /** Keep data for the next start, synced on every commit. Default false. */
  readonly persistent?: boolean | undefined;
  /** Sync every commit to disk before it is acknowledged. Default: as `persistent`. */
  readonly syncOnCommit?: boolean | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** Called once with a sentence when a started engine ends although nobody here ended it. */
  readonly onUnexpectedEnd?: ((sentence: string) => void) | undefined;
}

/** Faults for tests, only on what was started here. */
export interface EngineFaults {
  /** End it at once, without a chance to save. */
  kill9(): Promise<void>;
  /** Hang it: connections stay open, nothing is answered. */
  pause(): void;
  resume(): void;
  /** Start it again after `kill9()`, or stop it and start it: same port, same data. */
  restart(): Promise<void>;
}

/** An engine that answers. */
export interface Engine {
  readonly url: string;
  readonly source: EngineSource;
  /** Redis, Valkey, MongoDB or SecantusDB. */
  readonly name: string;
  readonly version: string;
  /** One sentence for the screen: which engine it is and where its data lies. */
  readonly description: string;
  /** Process id of an engine that was started here. */
  readonly pid?: number | undefined;
  /** Ends what was started here and waits for it; does nothing to what a URL names. May be called twice. */
  stop(): Promise<void>;
  readonly faults?: EngineFaults | undefined;
}

/** No engine can be had, or it did not start. The message is one sentence for the screen, with the remedy. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
}

/** A URL for messages and logs, without its password. */
export function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//***@');
}
