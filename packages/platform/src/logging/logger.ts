import type { Logger as PinoLogger } from 'pino';

/** What packages log through: an object of allowed keys, then a short fixed message. */
export type Logger = Pick<
  PinoLogger,
  'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'level' | 'isLevelEnabled'
> & {
  /** A logger that adds these to each line; they pass the same allowlist. */
  child(bindings: Record<string, unknown>): Logger;
};
