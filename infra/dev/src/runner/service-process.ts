import { join } from 'node:path';
import { spawnGuarded } from '@hushryd/platform/engines/spawn-guarded';
import { readLogTail } from './read-log-tail.ts';
import type { ServicePlan } from './service-plan.ts';

/** A service that ended although nobody here ended it. */
export interface Crash {
  readonly sentence: string;
  readonly logTail: readonly string[];
}

export interface ServiceProcess {
  readonly name: string;
  /** SIGTERM and its end; SIGKILL when that takes too long. @returns false when it had to be killed */
  stop(): Promise<boolean>;
  /** At once, without an orderly end. */
  kill(): void;
}

/** The service's own deadline (SHUTDOWN_TIMEOUT_MS) and a little. */
const stopWithinMs = 12_000;

/**
 * Start a service as the process it is in production; its output goes to `<logsDir>/<name>.log`. It ends with this process, however that ends.
 *
 * @param input.onCrash called once when it ends by itself, whatever its exit code: a service has no reason to
 */
export function startService(input: {
  plan: ServicePlan;
  rootDir: string;
  logsDir: string;
  onCrash: (crash: Crash) => void;
}): ServiceProcess {
  const { plan, rootDir, logsDir, onCrash } = input;
  const logFile = join(logsDir, `${plan.name}.log`);
  const { child, ended } = spawnGuarded({
    argv: [process.execPath, ...plan.argv],
    cwd: rootDir,
    logFile,
    env: { ...process.env, ...plan.env },
  });
  let isStopping = false;

  void ended
    .then(({ code, signal }) => {
      if (isStopping) return;
      const end = signal ? `was ended by ${signal}` : `ended by itself (exit code ${code})`;
      onCrash({ sentence: `${plan.name} ${end}; the end of ${logFile}:`, logTail: readLogTail(logFile) });
    })
    .catch((cause: unknown) => {
      onCrash({ sentence: `${plan.name} could not be started: ${String(cause)}`, logTail: [] });
    });

  return {
    name: plan.name,
    async stop() {
      isStopping = true;
      if (child.exitCode !== null || child.signalCode !== null) return true;
      let isKilled = false;
      // It does not keep us alive by itself, and now we wait for it.
      child.ref();
      child.kill('SIGTERM');
      const timer = setTimeout(() => {
        isKilled = true;
        child.kill('SIGKILL');
      }, stopWithinMs);
      await ended;
      clearTimeout(timer);
      return !isKilled;
    },
    kill() {
      isStopping = true;
      child.kill('SIGKILL');
    },
  };
}
