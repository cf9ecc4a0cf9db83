import type { AccessTokens } from '../http/access-tokens.ts';
import type { CancelTimer, Runtime } from './runtime.ts';

export interface TokenRefresh {
  /** The socket's token runs out in `lifeMs`: have a newer one sent in time. */
  schedule(lifeMs: number): void;
  stop(): void;
}

const leadMs = 60_000;
const retryMs = 10_000;

/** 60 s before the end, or half way for a token that lives shorter than two minutes; never more often than every 5 s. */
export function refreshDelayMs(lifeMs: number): number {
  return lifeMs >= 2 * leadMs ? lifeMs - leadMs : Math.max(5000, lifeMs / 2);
}

/** Asks for a new token before the socket's own ends. A token that cannot be had is asked for again every 10 s. */
export function createTokenRefresh(input: {
  runtime: Runtime;
  tokens: Pick<AccessTokens, 'get'>;
  send(token: string): void;
  onError(error: unknown): void;
}): TokenRefresh {
  const { runtime, tokens, send, onError } = input;
  let cancel: CancelTimer | undefined;
  let round = 0;

  return {
    schedule(lifeMs) {
      this.stop();
      arm(refreshDelayMs(lifeMs));
    },
    stop() {
      cancel?.();
      round += 1;
    },
  };

  function arm(delayMs: number): void {
    const own = round;
    cancel = runtime.setTimer(() => void refresh(own), delayMs);
  }

  async function refresh(own: number): Promise<void> {
    // Armed first: a refresh that the server refuses, or never answers, is tried again.
    arm(retryMs);
    try {
      const token = await tokens.get();
      if (own === round) send(token);
    } catch (error) {
      if (own === round) onError(error);
    }
  }
}
