import type { Logger } from '../logging/logger.ts';
import { raceTimer } from './race-timer.ts';

export interface Lifecycle {
  /**
   * Register what was just started. Steps close one after another, the newest first.
   * @param options.timeoutMs this step's own deadline; without it the step may use what is left of the whole
   */
  add(name: string, close: () => void | Promise<void>, options?: { timeoutMs?: number }): void;
  /** Close everything, once; later calls wait for the same. Never throws. @returns false when a step failed or ran out of time */
  close(reason: string): Promise<boolean>;
  /**
   * Something that only a person can mend came to light after the start, so the process is no good: say so, close everything and exit 1,
   * as at the start.
   */
  fail(error: unknown): void;
  /** True from the moment closing began: readiness answers 503. */
  readonly isClosing: boolean;
  /** A fact for the last log line: requests finished, sockets drained. */
  report(key: string, value: number | string | boolean): void;
  /**
   * Close on SIGTERM and SIGINT and exit: 0 when all closed in time, else 1. A further SIGTERM changes nothing, since orchestrators send
   * several; a further SIGINT is a person who does not want to wait, and exits 1 at once. An uncaught error is logged and exits 1
   * without draining, since nothing can be relied on then.
   */
  onSignals(): void;
}

/**
 * Ordered end of a process: what was started last ends first, within one deadline, with one final log line.
 *
 * @param timeoutMs from the first signal to exit
 */
export function createLifecycle({ log, timeoutMs }: { log: Logger; timeoutMs: number }): Lifecycle {
  const steps: { name: string; close: () => void | Promise<void>; timeoutMs: number }[] = [];
  const facts: Record<string, number | string | boolean> = {};
  let closing: Promise<boolean> | undefined;

  async function closeSteps(reason: string): Promise<boolean> {
    const startedAt = performance.now();
    const failed: string[] = [];
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      const leftMs = Math.max(0, timeoutMs - (performance.now() - startedAt));
      try {
        await withinMs(step.close, Math.min(step.timeoutMs, leftMs));
      } catch (err) {
        failed.push(step.name);
        log.error({ err, step: step.name }, 'shutdown step failed');
      }
    }
    const durationMs = Math.round(performance.now() - startedAt);
    log.info({ reason, durationMs, failedCount: failed.length, ...facts }, 'shutdown complete');
    return failed.length === 0;
  }

  const lifecycle: Lifecycle = {
    add(name, close, options = {}) {
      steps.push({ name, close, timeoutMs: options.timeoutMs ?? timeoutMs });
    },
    close(reason) {
      closing ??= closeSteps(reason);
      return closing;
    },
    fail(err) {
      log.fatal({ err }, 'the process cannot go on');
      void lifecycle.close('failed').then(() => process.exit(1));
    },
    get isClosing() {
      return closing !== undefined;
    },
    report(key, value) {
      facts[key] = value;
    },
    onSignals() {
      const onSignal = (signal: NodeJS.Signals): void => {
        if (closing !== undefined && signal === 'SIGTERM') {
          log.info({ signal }, 'shutting down already');
          return;
        }
        if (closing !== undefined) {
          log.warn({ signal }, 'second signal, exiting without waiting');
          process.exit(1);
        }
        log.info({ signal }, 'shutting down');
        void lifecycle.close(signal).then((isClean) => process.exit(isClean ? 0 : 1));
      };
      process.on('SIGTERM', onSignal);
      process.on('SIGINT', onSignal);
      process.on('uncaughtException', (err) => {
        log.fatal({ err }, 'uncaught error');
        process.exit(1);
      });
    },
  };
  return lifecycle;
}

function withinMs(close: () => void | Promise<void>, limitMs: number): Promise<void> {
  return raceTimer(Promise.resolve().then(close), limitMs, () => {
    throw new StepTimeoutError(limitMs);
  });
}

class StepTimeoutError extends Error {
  override readonly name = 'StepTimeoutError';
  readonly code = 'step_timeout';

  constructor(limitMs: number) {
    super(`Not closed within ${Math.round(limitMs)} ms`);
  }
}
