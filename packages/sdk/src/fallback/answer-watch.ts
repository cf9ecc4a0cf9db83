import type { Runtime } from '../connection/runtime.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { createRefusalCount, isTokenRefusal, maxTokenRefusals, type RefusalCount } from '../http/token-refusals.ts';

/** Does the api still answer, and does it still know us? Told by each source of requests by itself: a trip that is followed, or the fixes. */
export interface AnswerWatch {
  answered(source: object): void;
  failed(source: object, error: unknown): void;
  /** It asks no more. */
  forget(source: object): void;
  /** Nothing is known of anybody. */
  clear(): void;
}

/** Requests of one source that failed in a row, before the api counts as lost, unless another source still gets answers. */
const maxFailures = 3;

interface Tally {
  failures: number;
  refusals: RefusalCount;
}

/**
 * @param onLost no source gets answers any more
 * @param onRefused the api refused the token of one source twice in a row
 */
export function createAnswerWatch({
  runtime,
  onLost,
  onRefused,
}: {
  runtime: Pick<Runtime, 'now'>;
  onLost: (cause: string) => void;
  onRefused: (problem: HttpProblem) => void;
}): AnswerWatch {
  /** Of those whose newest request failed. */
  const tallies = new Map<object, Tally>();
  const served = new Set<object>();

  return {
    answered(source) {
      served.add(source);
      tallies.delete(source);
    },
    failed(source, error) {
      const tally = tallies.get(source) ?? { failures: 0, refusals: createRefusalCount(runtime.now) };
      tallies.set(source, tally);
      if (isTokenRefusal(error)) {
        if (tally.refusals.note() >= maxTokenRefusals) onRefused(error);
        return;
      }
      // Too many, or another node has to be asked: the api is there.
      if (error instanceof HttpProblem && error.status > 0 && error.status < 500) return;
      served.delete(source);
      tally.failures += 1;
      if (tally.failures < maxFailures || served.size > 0) return;
      onLost(error instanceof Error ? error.message : 'the api does not answer');
    },
    forget(source) {
      tallies.delete(source);
      served.delete(source);
    },
    clear() {
      tallies.clear();
      served.clear();
    },
  };
}
