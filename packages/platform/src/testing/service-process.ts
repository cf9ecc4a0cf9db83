import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { TestScope } from './engines.ts';
import { type WaitOptions, within } from './wait-for.ts';

/** One line of a service's JSON log; a line that is no JSON stands in `msg`. */
export interface LogLine {
  readonly msg: string;
  readonly [key: string]: unknown;
}

export interface ServiceExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServiceProcess {
  readonly pid: number;
  /** Everything logged so far, oldest first, at most the last 20,000 lines. */
  readonly logs: readonly LogLine[];
  readonly exited: Promise<ServiceExit>;
  /** The first line, logged already or yet to come, that fits: a message, or what a function accepts. */
  waitForLog(fits: string | ((line: LogLine) => boolean), options?: Partial<WaitOptions>): Promise<LogLine>;
  /** SIGTERM, then its exit. */
  terminate(withinMs?: number): Promise<ServiceExit>;
  kill9(): Promise<ServiceExit>;
  pause(): void;
  resume(): void;
  /** Any other signal, for what a test has put into the process. */
  signal(signal: NodeJS.Signals): void;
}

export interface ServiceOptions {
  /** For sentences: `worker`. */
  readonly name: string;
  /** Absolute path of its main file; `.ts` runs through tsx. */
  readonly main: string;
  readonly args?: readonly string[];
  /** Of Node itself, before the main file: `--expose-gc`. */
  readonly nodeArgs?: readonly string[];
  /** Its whole environment besides PATH and HOME: nothing of the test's own leaks in. */
  readonly env: Readonly<Record<string, string>>;
  /** The log message that says it is ready. */
  readonly ready?: string;
  readonly readyWithinMs?: number;
}

const maxLines = 20_000;
const defaultWithinMs = 20_000;

/**
 * Starts a service as the process it is in production and waits until it says it is ready. Whatever happens, it is gone
 * when the test ends.
 *
 * @throws Error with its last log lines when it exits or stays silent
 */
export async function startService(t: TestScope, options: ServiceOptions): Promise<ServiceProcess> {
  const { main, args = [], nodeArgs = [] } = options;
  const child = spawn(process.execPath, [...nodeArgs, ...loaderOf(main), main, ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // A test that crashes runs no teardown.
  const killWithUs = () => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  child.once('exit', () => process.off('exit', killWithUs));
  const log = collectLog(child);
  const exited = new Promise<ServiceExit>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const send = async (signal: NodeJS.Signals, withinMs: number) => {
    child.kill(signal);
    return within(exited, { withinMs, what: `the end of ${options.name} after ${signal}` });
  };
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) await send('SIGKILL', defaultWithinMs);
  });

  const service: ServiceProcess = {
    pid: child.pid ?? -1,
    logs: log.lines,
    exited,
    waitForLog: (fits, wait) => {
      const what =
        wait?.what ?? `the log line ${typeof fits === 'string' ? `"${fits}"` : 'that fits'} of ${options.name}`;
      const gone = exited.then(({ code, signal }) => {
        throw new Error(`${what} cannot come: it ended with ${signal ?? `code ${code}`}; ${tail(log.lines)}`);
      });
      const fitting = log.waitForLine(typeof fits === 'string' ? (line) => line.msg === fits : fits);
      return within(Promise.race([fitting, gone]), { withinMs: wait?.withinMs ?? defaultWithinMs, what });
    },
    terminate: (withinMs = 30_000) => send('SIGTERM', withinMs),
    kill9: () => send('SIGKILL', defaultWithinMs),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    signal: (signal) => void child.kill(signal),
  };
  if (options.ready !== undefined) {
    await service.waitForLog(options.ready, { withinMs: options.readyWithinMs ?? defaultWithinMs });
  }
  return service;
}

function loaderOf(main: string): string[] {
  return main.endsWith('.ts') ? ['--import=tsx', '--conditions=@hushryd/source'] : [];
}

function collectLog(child: ChildProcess & { stdout: Readable; stderr: Readable }) {
  const lines: LogLine[] = [];
  const waiting = new Set<(line: LogLine) => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (text) => {
      const line = parseLine(text);
      lines.push(line);
      if (lines.length > maxLines) lines.shift();
      for (const offer of waiting) offer(line);
    });
  }
  return {
    lines,
    waitForLine: (fits: (line: LogLine) => boolean): Promise<LogLine> => {
      const logged = lines.find(fits);
      if (logged) return Promise.resolve(logged);
      return new Promise((resolve) => {
        const offer = (line: LogLine) => {
          if (!fits(line)) return;
          waiting.delete(offer);
          resolve(line);
        };
        waiting.add(offer);
      });
    },
  };
}

function parseLine(text: string): LogLine {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'msg' in value && typeof value.msg === 'string')
      return value as LogLine;
  } catch {
    // Not every line is ours: Node writes its last words as plain text.
  }
  return { msg: text };
}

function tail(lines: readonly LogLine[]): string {
  return `its last lines: ${lines
    .slice(-5)
    .map((line) => JSON.stringify(line))
    .join(' ')}`;
}
