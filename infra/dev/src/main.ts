import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { ConfigError } from '@hushryd/platform/config/config-error';
import { EngineError } from '@hushryd/platform/engines/engine';
import { createClosing } from './runner/closing.ts';
import { onSignals } from './runner/on-signals.ts';
import { readOptions } from './runner/read-options.ts';
import { run } from './runner/run.ts';
import type { Crash } from './runner/service-process.ts';
import { showProgress } from './runner/show-progress.ts';
import { StartError } from './start-error.ts';

/** Why everything ends. */
class End extends Error {
  override readonly name = 'End';
  readonly exitCode: number;
  readonly details: readonly string[];

  constructor(exitCode: number, message: string, details: readonly string[] = []) {
    super(message);
    this.exitCode = exitCode;
    this.details = details;
  }
}

await main();

async function main(): Promise<void> {
  const progress = showProgress(process.stdout);
  const tell = (text: string) => {
    progress.clear();
    process.stdout.write(`${text}\n`);
  };
  const closing = createClosing({ tell });
  const ending = new AbortController();
  onSignals({
    source: process,
    first: () => ending.abort(new End(0, 'Stopping … (Ctrl-C again ends everything at once)')),
    second: () => {
      tell('Ending everything at once.');
      void closing.force().finally(() => process.exit(0));
    },
  });

  let end: unknown;
  try {
    const options = readOptions(process.argv.slice(2), process.env);
    if (options.wantsHelp) return tell(readFileSync(new URL('../start-help.txt', import.meta.url), 'utf8').trimEnd());
    const onCrash = ({ sentence, logTail }: Crash) => ending.abort(new End(1, sentence, logTail));
    const running = await run({ options, closing, progress, signal: ending.signal, onCrash, tell });
    printLinkOnEnter(running.newLink, ending.signal);
    end = await reasonOf(ending.signal);
  } catch (error) {
    // What was being waited for only says that it was aborted; why stands in the signal.
    end = ending.signal.aborted ? ending.signal.reason : error;
  }
  progress.clear();
  process.exitCode = sayEnd(end);
  const startedAtMs = performance.now();
  if (!(await closing.close())) process.exitCode ||= 1;
  if (end instanceof End) tell(`Stopped in ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s.`);
  // An open terminal would keep this process alive.
  process.exit();
}

/** One sentence for what a person can put right; a stack for a fault of ours. @returns the exit code */
function sayEnd(end: unknown): number {
  if (end instanceof End) {
    const lines = [end.message, ...end.details.map((line) => `  ${line}`)];
    (end.exitCode === 0 ? console.log : console.error)(`\n${lines.join('\n')}`);
    return end.exitCode;
  }
  const isForPerson = end instanceof StartError || end instanceof EngineError || end instanceof ConfigError;
  console.error(isForPerson ? end.message : end);
  return 1;
}

function reasonOf(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });
}

function printLinkOnEnter(newLink: () => string, signal: AbortSignal): void {
  if (!process.stdin.isTTY) return;
  const lines = createInterface({ input: process.stdin });
  lines.on('line', () => console.log(`  ${newLink()}`));
  // While the terminal is read line by line, Ctrl-C still arrives as a signal.
  signal.addEventListener('abort', () => lines.close(), { once: true });
}
