import type { CancelTimer, Runtime } from '../connection/runtime.ts';
import { type AbortSignalLike, createAbortController } from '../http/fetch.ts';

/** How long one request may bring nothing before it is ended. */
export interface Patience {
  readonly signal: AbortSignalLike;
  /** Did it run out? */
  readonly isLate: boolean;
  /** From now on so long, whatever was allowed before. */
  allow(ms: number): void;
  /** End the request, if it has not ended yet. */
  end(): void;
}

export function createPatience(runtime: Runtime): Patience {
  const controller = createAbortController();
  let isLate = false;
  let cancelTimer: CancelTimer = () => undefined;

  return {
    signal: controller.signal,
    get isLate() {
      return isLate;
    },
    allow(ms) {
      cancelTimer();
      cancelTimer = runtime.setTimer(() => {
        isLate = true;
        controller.abort();
      }, ms);
    },
    end() {
      cancelTimer();
      controller.abort();
    },
  };
}
