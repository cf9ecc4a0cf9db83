import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from '../start-error.ts';

const withinMs = 60_000;
const pollMs = 100;

/** Resolves when the address answers 200. @throws the signal's reason when it is aborted; StartError after a minute */
export async function waitUntilReady(input: { name: string; url: string; signal: AbortSignal }): Promise<void> {
  const { name, url, signal } = input;
  const deadlineMs = performance.now() + withinMs;
  while (!(await isReady(url, signal))) {
    signal.throwIfAborted();
    if (performance.now() > deadlineMs) {
      throw new StartError(`${name} did not become ready within ${withinMs / 1000} s (${url}): its log says why.`);
    }
    await sleep(pollMs, undefined, { signal });
  }
}

async function isReady(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(1000)]) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    // Nobody listens yet, or is too busy to answer: that is what we wait for.
    return false;
  }
}
