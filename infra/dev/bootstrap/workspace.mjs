import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Stop } from './stop.mjs';

export const rootDir = resolve(import.meta.dirname, '../../..');
export const stateDir = join(rootDir, '.hushryd');
export const logsDir = join(stateDir, 'logs');

/** The package manager as package.json pins it, such as `pnpm@12.21.0`; npx fetches it, nothing is installed globally. */
export function packageManager() {
  return JSON.parse(readFileSync(join(rootDir, 'package.json'), 'utf8')).packageManager;
}

/** Makes `.hushryd/logs`, and so finds out whether this folder can be written at all. */
export function prepareState() {
  try {
    mkdirSync(logsDir, { recursive: true });
    const probe = join(stateDir, `.probe-${process.pid}`);
    writeFileSync(probe, '');
    rmSync(probe);
    accessSync(rootDir, constants.W_OK);
  } catch (error) {
    throw new Stop(
      `HushRyd keeps its packages and data in ${rootDir} and cannot write there (${error.code}): make the folder yours, or clone it to one that is.`,
    );
  }
}
