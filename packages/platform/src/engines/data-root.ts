import { constants, existsSync } from 'node:fs';
import { access, mkdir, mkdtemp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EngineError } from './engine.ts';

/** `<workspace>/.hushryd`: what engines started here keep. `npm run reset` removes it. */
export function dataRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'pnpm-workspace.yaml'))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw new EngineError('The workspace root was not found: run this from a checkout of the repository.');
    folder = parent;
  }
  return join(folder, '.hushryd');
}

/** Makes a folder; a folder that cannot be written is a sentence that names it. */
export async function makeFolder(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK);
    return path;
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/** A fresh folder under `.hushryd/tmp`, so that what a killed run leaves behind goes with `npm run reset`. */
export async function makeTemporaryFolder(prefix: string): Promise<string> {
  const parent = await makeFolder(join(dataRoot(), 'tmp'));
  try {
    return await mkdtemp(join(parent, `${prefix}-`));
  } catch (cause) {
    throw unwritable(parent, cause);
  }
}

function unwritable(path: string, cause: unknown): EngineError {
  const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
  return new EngineError(
    `The folder ${path} cannot be written (${reason}): make it writable for this user or choose another one.`,
    { cause },
  );
}
