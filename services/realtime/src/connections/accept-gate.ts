import { AppError } from '@hushryd/platform/errors/app-error';

export interface AcceptGate {
  /** Let one upgrade in. @throws AppError `overloaded` (with `retryAfterMs`) or `draining` */
  enter(): void;
  /** It was answered. @param isRefused it was nobody's: the place goes to the next */
  leave(isRefused?: boolean): void;
  /** Refuse everybody from now on. */
  close(): void;
}

const minRetryMs = 1000;
/** Nobody is kept out for longer, however many are outside: most of them will have gone elsewhere. */
const maxRetryMs = 30_000;
const jitterMs = 250;
/**
 * Of a second's rate, what may come in one turn of the event loop. A socket costs 0.6 ms until it is subscribed: with a whole second's in
 * one turn a node held its loop for 500 ms, missed its deadlines to Redis and told everybody that live data was away (measured).
 */
const burstShare = 0.2;

/**
 * How fast sockets are taken, on this node: a reconnecting crowd is let in at a rate that leaves room for those who are in already,
 * and only so many may wait for their ticket or lease at the same time.
 *
 * What all nodes share (Redis, the api, MongoDB) sees the crowd of all of them, so together they take at most `maxServerPerSecond`,
 * each an equal share: no request is made to find out, and a node that hears nothing of the others keeps the share it had. Whoever is
 * refused is given a time of its own, behind those refused before, so that a crowd comes back at the rate at which it is taken.
 *
 * @param aliveNodes how many nodes share, this one included
 */
export function createAcceptGate({
  maxPerSecond,
  maxServerPerSecond,
  maxPending,
  aliveNodes,
  monotonicMs = () => performance.now(),
  random = Math.random,
}: {
  maxPerSecond: number;
  maxServerPerSecond: number;
  maxPending: number;
  aliveNodes: () => number;
  monotonicMs?: () => number;
  random?: () => number;
}): AcceptGate {
  let places = burst(rate());
  /** Refused and still expected back. */
  let expected = 0;
  let atMs = monotonicMs();
  let pending = 0;
  let isClosed = false;

  return {
    enter() {
      if (isClosed) throw new AppError('draining', { retryAfterMs: minRetryMs });
      const perSecond = rate();
      passTime(perSecond);
      if (places < 1 || pending >= maxPending) {
        expected += 1;
        const queueMs = (expected / perSecond) * 1000;
        const retryAfterMs = Math.min(maxRetryMs, minRetryMs + queueMs) + random() * jitterMs;
        throw new AppError('overloaded', { detail: 'this node takes no more sockets for the moment', retryAfterMs });
      }
      places -= 1;
      pending += 1;
    },
    leave(isRefused = false) {
      pending -= 1;
      if (isRefused) places += 1;
    },
    close() {
      isClosed = true;
    },
  };

  function rate(): number {
    return Math.max(1, Math.min(maxPerSecond, maxServerPerSecond / aliveNodes()));
  }

  function passTime(perSecond: number): void {
    const nowMs = monotonicMs();
    const passed = ((nowMs - atMs) / 1000) * perSecond;
    atMs = nowMs;
    places = Math.min(burst(perSecond), places + passed);
    expected = Math.max(0, expected - passed);
  }
}

function burst(perSecond: number): number {
  return Math.max(1, perSecond * burstShare);
}
