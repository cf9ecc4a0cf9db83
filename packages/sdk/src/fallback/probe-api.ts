import type { Runtime } from '../connection/runtime.ts';
import type { FetchLike } from '../http/fetch.ts';
import { createAbortController } from '../http/fetch.ts';

/** Does the api answer? One question at a time; whoever asks meanwhile hears no. Needs no token. */
export function createProbeApi({
  apiUrl,
  fetch,
  timeoutMs,
  runtime,
}: {
  apiUrl: string;
  fetch: FetchLike;
  timeoutMs: number;
  runtime: Runtime;
}): () => Promise<boolean> {
  const url = `${apiUrl.replace(/\/+$/, '')}/health/live`;
  let isAsking = false;

  return async () => {
    if (isAsking) return false;
    isAsking = true;
    const controller = createAbortController();
    const cancelTimer = runtime.setTimer(() => controller.abort(), timeoutMs);
    try {
      const { status } = await fetch(url, { method: 'GET', signal: controller.signal });
      return status === 200;
    } catch {
      return false; // No answer: the network is away as a whole.
    } finally {
      isAsking = false;
      cancelTimer();
    }
  };
}
