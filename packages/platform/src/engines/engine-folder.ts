import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { releaseClaim, tryClaim } from './claim-file.ts';
import { makeFolder } from './data-root.ts';
import { EngineError, type OnProgress } from './engine.ts';
import { isAlive } from './process-identity.ts';
import { withProgress } from './progress.ts';

/** Name of the file in an engine's folder that says which process owns the folder and which engine runs on it. */
export const claimFileName = 'engine.json';

/**
 * Makes an engine's folder this process's own, because two servers on one folder destroy its data.
 *
 * A living owner is an error that names it. What a killed run left is cleared: its engine normally ends by itself with its
 * parent; when it did not, it is stopped here, and `onProgress` says so.
 */
export async function claimEngineFolder(dataDir: string, onProgress?: OnProgress): Promise<void> {
  await makeFolder(dataDir);
  const path = join(dataDir, claimFileName);
  for (;;) {
    const claim = tryClaim(path);
    if (claim.isMine) return;
    const { owner, engine } = claim.record;
    if (claim.isOwnerAlive) {
      throw new EngineError(
        `The data folder ${dataDir} is in use by process ${Number.parseInt(owner, 10)}: stop that one first (Ctrl-C where it runs).`,
      );
    }
    if (engine && isAlive(engine)) await stopLeftOver(engine, onProgress);
    releaseClaim(path);
  }
}

async function stopLeftOver(identity: string, onProgress: OnProgress | undefined): Promise<void> {
  const pid = Number.parseInt(identity, 10);
  await withProgress(`stopping the engine that a killed run left behind (pid ${pid})`, onProgress, async () => {
    // A paused process takes SIGTERM only after SIGCONT.
    for (const signal of ['SIGTERM', 'SIGCONT'] as const) signalIfAlive(identity, signal);
    if (await isGone(identity, 10_000)) return;
    signalIfAlive(identity, 'SIGKILL');
    if (await isGone(identity, 10_000)) return;
    throw new EngineError(
      `A killed run left process ${pid} behind and it cannot be ended: end it by hand (kill -9 ${pid}).`,
    );
  });
}

function signalIfAlive(identity: string, signal: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(Number.parseInt(identity, 10), signal);
  } catch (error) {
    // It ended between the two calls.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

async function isGone(identity: string, withinMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs;
  while (isAlive(identity)) {
    if (performance.now() > deadlineMs) return false;
    await sleep(50);
  }
  return true;
}
