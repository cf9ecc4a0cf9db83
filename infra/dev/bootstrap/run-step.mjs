import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Stop } from './stop.mjs';
import { logsDir, rootDir } from './workspace.mjs';

const tailLines = 25;

/**
 * Runs one noisy program: its output goes to `.hushryd/logs/<log>.log`, the screen shows what happens and for how long.
 *
 * The program gets a process group of its own, ended whole when we are interrupted, so nothing stays behind.
 *
 * @param {object} step
 * @param {string} step.what what a person reads: "installing packages"
 * @param {string} step.log name of the log file, without folder and ending
 * @param {string} step.command
 * @param {string[]} step.args
 * @param {Record<string, string>} [step.env] added to ours
 * @param {(log: string) => string} [step.detail] what to say besides the seconds, read from the log so far
 * @param {(log: string) => string | undefined} [step.explain] a sentence for a failure that has a known cause
 * @throws {Stop} when the program fails: the end of its log, and one sentence
 */
export async function runStep(step) {
  const file = join(logsDir, `${step.log}.log`);
  const output = openSync(file, 'w');
  const progress = showProgress(step.what, () => step.detail?.(readFileSync(file, 'utf8')) ?? '');
  const child = spawn(step.command, step.args, {
    cwd: rootDir,
    env: { ...process.env, ...step.env },
    stdio: ['ignore', output, output],
    detached: true,
  });
  const interrupted = endOnSignal(child);

  const exit = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(code ?? signal));
  });
  interrupted.forget();
  closeSync(output);
  progress.end(exit === 0);

  if (interrupted.signal()) throw new Stop('Stopped.', { exitCode: 130 });
  if (exit === 0) return;
  const log = readFileSync(file, 'utf8');
  const sentence =
    step.explain?.(log) ?? `${capitalise(step.what)} failed (${exit}); all of it is in ${relative(rootDir, file)}.`;
  throw new Stop(sentence, {
    details: step.explain?.(log) ? '' : log.trimEnd().split('\n').slice(-tailLines).join('\n'),
  });
}

function endOnSignal(child) {
  let received;
  const end = (signal) => {
    received ??= signal;
    try {
      process.kill(-child.pid, 'SIGTERM');
    } catch (error) {
      // The whole group is gone already.
      if (error.code !== 'ESRCH') throw error;
    }
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, end);
  return {
    signal: () => received,
    forget: () => {
      for (const signal of signals) process.off(signal, end);
    },
  };
}

/** On a terminal one line that counts; elsewhere a line at the start and one every ten seconds. */
function showProgress(what, detail) {
  const startedAtMs = Date.now();
  const isLive = process.stdout.isTTY;
  const line = () => {
    const seconds = Math.round((Date.now() - startedAtMs) / 1000);
    const more = detail();
    return `  ${what} … ${seconds} s${more ? ` (${more})` : ''}`;
  };
  const show = () => process.stdout.write(isLive ? `\r\x1b[K${line()}` : `${line()}\n`);

  show();
  const timer = setInterval(show, isLive ? 1000 : 10_000);
  return {
    end(isDone) {
      clearInterval(timer);
      if (isLive) process.stdout.write('\r\x1b[K');
      if (isDone) process.stdout.write(`  ${what}: done in ${((Date.now() - startedAtMs) / 1000).toFixed(1)} s\n`);
    },
  };
}

function capitalise(text) {
  return text[0].toUpperCase() + text.slice(1);
}
