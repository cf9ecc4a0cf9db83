/**
 * A signal for one piece of work: it ends after a deadline, or with another signal that lives longer. Release it when the work is over.
 *
 * By hand, because AbortSignal.any on Node 20 keeps every signal that was ever joined to a long-lived one.
 */
export function endAfter(
  deadlineMs: number,
  outer: AbortSignal | undefined,
): { signal: AbortSignal; isLate(): boolean; release(): void } {
  const inner = new AbortController();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    inner.abort();
  }, deadlineMs);
  const abort = () => inner.abort();
  outer?.addEventListener('abort', abort, { once: true });
  if (outer?.aborted) inner.abort();
  return {
    signal: inner.signal,
    isLate: () => isLate,
    release: () => {
      clearTimeout(timer);
      outer?.removeEventListener('abort', abort);
    },
  };
}
