import { existsSync } from 'node:fs';
import { access, constants, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { releaseClaim } from '@hushryd/platform/engines/claim-file';
import { claimEngineFolder } from '@hushryd/platform/engines/engine-folder';
import { StartError } from '../start-error.ts';

/** Where one installation keeps everything: `.hushryd` or what `--data` names. */
export interface DataFolder {
  readonly root: string;
  readonly keysDir: string;
  readonly logsDir: string;
  /** Lets the next runner have the folder. */
  release(): void;
}

/**
 * Make the data folder this runner's own.
 *
 * @throws StartError when it cannot be written, EngineError when another runner lives in it; both name the remedy
 */
export async function openDataFolder(root: string): Promise<DataFolder> {
  const [keysDir, logsDir, runnerDir] = [join(root, 'keys'), join(root, 'logs'), join(root, 'runner')];
  try {
    await makeFolders(logsDir);
    await makeFolders(keysDir, 0o700);
    const probe = join(root, `.probe-${process.pid}`);
    await writeFile(probe, '');
    await rm(probe);
    await access(logsDir, constants.W_OK);
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
    throw new StartError(
      `The data folder ${root} cannot be written (${reason}): make it yours, or choose another with --data DIR.`,
      { cause },
    );
  }
  // Under the name that engines use, so that `npm run reset` sees this runner too.
  await claimEngineFolder(runnerDir);
  return { root, keysDir, logsDir, release: () => releaseClaim(join(runnerDir, 'engine.json')) };
}

/** Level by level: Node's `recursive` never returns where a file system refuses new folders with ENOENT, as /proc does. */
async function makeFolders(path: string, mode = 0o777): Promise<void> {
  if (existsSync(path)) return;
  await makeFolders(dirname(path));
  await mkdir(path, { mode }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}
