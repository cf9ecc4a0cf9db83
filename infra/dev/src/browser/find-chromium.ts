import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { OnProgress } from '@hushryd/platform/engines/engine';
import { installWithApt } from '@hushryd/platform/engines/install-with-apt';
import { runProgram } from '@hushryd/platform/engines/run-program';

export type Chromium = { readonly program: string; readonly version: string } | { readonly reason: string };

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/**
 * Finds a Chromium for tests and screenshots: `CHROMIUM_PATH` → a Chromium or Chrome on PATH → as root on Debian or Ubuntu, apt
 * installs `chromium` → the reason there is none, as one sentence with the remedy.
 *
 * @param options.mayInstall false: only look
 * Cost: about 0.1 s where it is installed; up to a minute when apt fetches it.
 */
export async function findChromium(options: {
  path?: string | undefined;
  mayInstall: boolean;
  onProgress?: OnProgress;
}): Promise<Chromium> {
  if (options.path) {
    if (existsSync(options.path)) return ask(options.path, `CHROMIUM_PATH names ${options.path}, which does not run`);
    return { reason: `CHROMIUM_PATH names ${options.path}, where there is nothing: correct it or leave it empty.` };
  }
  const found = await findOnPath();
  if (found) return found;
  if (!options.mayInstall) return { reason: missing('it was not asked for') };

  const apt = await installWithApt(['chromium'], options.onProgress);
  return (await findOnPath()) ?? { reason: missing(apt.ok ? 'apt brought none' : apt.reason) };
}

async function findOnPath(): Promise<Chromium | undefined> {
  const folders = (process.env.PATH ?? '').split(delimiter);
  // A whole path, because whoever starts browsers takes no bare names.
  for (const program of names.flatMap((name) => folders.map((folder) => join(folder, name))).filter(existsSync)) {
    const result = await ask(program, '');
    if ('program' in result) return result;
  }
  return undefined;
}

async function ask(program: string, complaint: string): Promise<Chromium> {
  const result = await runProgram(program, ['--version'], { timeoutMs: 20_000 });
  if (!result.ok) return { reason: `${complaint} (${result.reason}).` };
  return { program, version: /[\d.]+/.exec(result.output)?.[0] ?? 'unknown' };
}

function missing(why: string): string {
  return `No Chromium was found (${why}): put chromium on PATH (Debian, Ubuntu: apt-get install chromium) or set CHROMIUM_PATH.`;
}
