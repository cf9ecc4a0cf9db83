import type { OnProgress } from './engine.ts';

/** Tells `what` at the start of `work` and once a second with the time so far, until it ends. */
export async function withProgress<T>(
  what: string,
  onProgress: OnProgress | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (!onProgress) return work();
  const startedAtMs = performance.now();
  const tell = () => onProgress({ what, elapsedSeconds: Math.floor((performance.now() - startedAtMs) / 1000) });
  tell();
  const timer = setInterval(tell, 1000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
