import { AppError } from '@hushryd/platform/errors/app-error';

export interface AcceptGate {
  /** Let one upgrade in. @throws AppError `too_many_sockets` (with `retryAfterMs`) or `draining` */
  enter(): void;
  /** It was answered, one way or the other. */
  leave(): void;
  /** Refuse everybody from now on. */
  close(): void;
}

/** Ten thousand who were refused at once must not come back at once. */
const minRetryMs = 1000;
const maxRetryMs = 5000;

/**
 * How fast sockets are taken, on this node: a reconnecting crowd is let in at a rate that leaves room for those who are in already,
 * and only so many may wait for their ticket or lease at the same time.
 */
export function createAcceptGate({
  maxPerSecond,
  maxPending,
  monotonicMs = () => performance.now(),
  random = Math.random,
}: {
  maxPerSecond: number;
  maxPending: number;
  monotonicMs?: () => number;
  random?: () => number;
}): AcceptGate {
  let tokens = maxPerSecond;
  let atMs = monotonicMs();
  let pending = 0;
  let isClosed = false;

  return {
    enter() {
      if (isClosed) throw new AppError('draining', { retryAfterMs: minRetryMs });
      const nowMs = monotonicMs();
      tokens = Math.min(maxPerSecond, tokens + ((nowMs - atMs) / 1000) * maxPerSecond);
      atMs = nowMs;
      if (tokens < 1 || pending >= maxPending) {
        const retryAfterMs = minRetryMs + random() * (maxRetryMs - minRetryMs);
        throw new AppError('too_many_sockets', { detail: 'this node takes no more for the moment', retryAfterMs });
      }
      tokens -= 1;
      pending += 1;
    },
    leave() {
      pending -= 1;
    },
    close() {
      isClosed = true;
    },
  };
}
