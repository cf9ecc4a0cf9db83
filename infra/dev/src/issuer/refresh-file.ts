import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { RefreshFamilies } from './refresh-tokens.ts';

/** The sign-ins of earlier starts. A missing or broken file means that everybody signs in again: the link is one key away. */
export function readRefreshFile(file: string): RefreshFamilies {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as RefreshFamilies) : {};
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof Error && 'code' in error && error.code === 'ENOENT'))
      return {};
    throw error;
  }
}

/** Whole or not at all; readable by its owner only. At most a few hundred entries, so a plain write will do. */
export function writeRefreshFile(file: string, families: RefreshFamilies): void {
  const draft = `${file}.new`;
  writeFileSync(draft, JSON.stringify(families), { mode: 0o600 });
  renameSync(draft, file);
}
