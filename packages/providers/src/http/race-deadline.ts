import { defaultDeadlineMs, failed, type SendContext, type SendFailure } from '../provider.ts';

/** Waits for shared work no longer than this caller may; the work goes on for the others. Nothing was sent yet when it ends early. */
export async function raceDeadline<T>(
  work: Promise<T>,
  { signal, deadlineMs = defaultDeadlineMs }: Pick<SendContext, 'signal' | 'deadlineMs'>,
): Promise<T | SendFailure> {
  let release = (): void => undefined;
  const ended = new Promise<SendFailure>((resolve) => {
    const timer = setTimeout(() => resolve(failed('retry', 'timeout')), deadlineMs);
    const abort = () => resolve(failed('retry', 'aborted'));
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    release = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
  });
  try {
    return await Promise.race([work, ended]);
  } finally {
    release();
  }
}
