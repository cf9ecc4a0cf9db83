import { createHash, randomBytes } from 'node:crypto';

export interface OneTimeCodes {
  /** A new code, 128 random bits. */
  issue(): string;
  /** True once for each code that was issued and has not run out. */
  redeem(code: string): boolean;
}

/** More than anybody asks for in ten minutes; the oldest goes first. */
const maxCodes = 100;

/** Codes for the printed links. Only hashes are kept, so that a heap dump signs nobody in. */
export function createOneTimeCodes({
  lifetimeMs = 10 * 60_000,
  now = Date.now,
}: {
  lifetimeMs?: number;
  now?: () => number;
} = {}): OneTimeCodes {
  const expiresAtMs = new Map<string, number>();
  return {
    issue() {
      const code = randomBytes(16).toString('base64url');
      const [oldest] = expiresAtMs.keys();
      if (expiresAtMs.size >= maxCodes && oldest !== undefined) expiresAtMs.delete(oldest);
      expiresAtMs.set(hashOf(code), now() + lifetimeMs);
      return code;
    },
    redeem(code) {
      const hash = hashOf(code);
      const untilMs = expiresAtMs.get(hash);
      expiresAtMs.delete(hash);
      return untilMs !== undefined && now() < untilMs;
    },
  };
}

export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}
