import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { releaseClaim, tryClaim } from './claim-file.ts';
import { makeFolder } from './data-root.ts';
import { EngineError, type OnProgress } from './engine.ts';
import { findPython } from './find-python.ts';
import { processIdentity } from './process-identity.ts';
import { withProgress } from './progress.ts';
import { runProgram } from './run-program.ts';

/** Pinned together with every file of it and of what it needs in secantus-requirements.txt. */
export const secantusVersion = '0.7.0b3';

// Read from src/ in both forms: the compiler copies no text files into dist/.
const requirements = fileURLToPath(new URL('../../src/engines/secantus-requirements.txt', import.meta.url));

/**
 * Makes a private virtual environment with SecantusDB in `rootDir`, once, and returns its Python program.
 *
 * SecantusDB is GPL: it runs as a process of its own, on the developer's machine only, and is no part of what HushRyd ships.
 * Any number of processes may call this at once: one installs while the others wait, and the finished environment appears by a
 * rename, so nobody ever sees half of it.
 *
 * @throws EngineError one sentence: Python is missing, or pip failed and why
 * Cost: about 10 s and 145 MB the first time, one short Python run afterwards.
 */
export async function installSecantus(rootDir: string, onProgress?: OnProgress): Promise<string> {
  await makeFolder(rootDir);
  const home = join(rootDir, `secantus-${secantusVersion}`);
  if (await isUsable(home)) return pythonOf(home);
  const lock = `${home}.lock`;
  await waitForLock(lock, onProgress);
  try {
    if (await isUsable(home)) return pythonOf(home);
    await removeDraftsOfTheDead(rootDir);
    await build(home, onProgress);
    return pythonOf(home);
  } finally {
    releaseClaim(lock);
  }
}

function pythonOf(home: string): string {
  return join(home, 'bin', 'python');
}

// Looks for the module, not for the folder: after an upgrade of the system's Python the folder is there and empty to the new one.
async function isUsable(home: string): Promise<boolean> {
  const check = 'import importlib.util, sys; sys.exit(importlib.util.find_spec("secantus") is None)';
  return (await runProgram(pythonOf(home), ['-I', '-c', check], { timeoutMs: 20_000 })).ok;
}

/*
 * Two waiters can both take a dead installer's lock for left over, so the lock only saves work; that the environment is whole is
 * the rename's promise.
 */
async function waitForLock(lock: string, onProgress: OnProgress | undefined): Promise<void> {
  if (tryClaim(lock).isMine) return;
  await withProgress('waiting for another process that installs the embedded database', onProgress, async () => {
    for (;;) {
      const claim = tryClaim(lock);
      if (claim.isMine) return;
      if (claim.isOwnerAlive) await sleep(250);
      else releaseClaim(lock);
    }
  });
}

/** A killed installer leaves up to 145 MB behind. */
async function removeDraftsOfTheDead(rootDir: string): Promise<void> {
  for (const name of await readdir(rootDir)) {
    const pid = /^secantus-.*\.(\d+)\.tmp$/.exec(name)?.[1];
    if (pid && !processIdentity(Number(pid)))
      await rm(join(rootDir, name), { recursive: true, force: true, maxRetries: 3 });
  }
}

async function build(home: string, onProgress: OnProgress | undefined): Promise<void> {
  const python = await findPython(onProgress);
  if ('missing' in python) throw new EngineError(python.missing);
  const draft = `${home}.${process.pid}.tmp`;
  const what = `installing SecantusDB ${secantusVersion}, the embedded database of development (once, about 145 MB)`;
  await withProgress(what, onProgress, async () => {
    try {
      await run(python.command, ['-I', '-m', 'venv', draft]);
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input'];
      await run(pythonOf(draft), ['-I', ...pip, '--require-hashes', '--only-binary', ':all:', '-r', requirements]);
      await publish(draft, home);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  });
}

/** Puts the finished environment in place; one that another process put there first is as good. */
async function publish(draft: string, home: string): Promise<void> {
  if (!(await isUsable(home))) await rm(home, { recursive: true, force: true });
  try {
    await rename(draft, home);
  } catch (error) {
    if (!(await isUsable(home))) throw error;
  }
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const result = await runProgram(command, args, { timeoutMs: 600_000 });
  if (!result.ok) throw new EngineError(`installing SecantusDB ${secantusVersion} failed (${result.reason})`);
}
