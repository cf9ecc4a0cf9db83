import { ConfigError } from '../config/config-error.ts';
import { AppError } from '../errors/app-error.ts';

/**
 * Run a process's main function. What a person can mend (a setting, an engine that is away) ends it with one sentence on stderr and
 * exit code 1; a mistake of ours with its stack.
 */
export function runMain(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    const isForPeople = error instanceof ConfigError || error instanceof AppError;
    process.stderr.write(`${isForPeople ? error.message : describe(error)}\n`);
    process.exit(1);
  });
}

const describe = (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error));
