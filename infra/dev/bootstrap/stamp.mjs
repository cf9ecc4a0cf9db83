import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A digest of what files say. Missing files count as empty. */
export function digestOfContents(paths) {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(`${path}\n`).update(existsSync(path) ? readFileSync(path) : '');
  return hash.digest('hex');
}

/** A digest of names, sizes and times of all files below the given paths: milliseconds for thousands of files. */
export function digestOfTimes(paths) {
  const hash = createHash('sha256');
  const visit = (path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory()) for (const name of readdirSync(path).sort()) visit(join(path, name));
    else hash.update(`${path} ${stat?.size} ${stat?.mtimeMs}\n`);
  };
  for (const path of paths) visit(path);
  return hash.digest('hex');
}

/** Whether a step was finished for this very input before. */
export function hasStamp(file, digest) {
  return existsSync(file) && readFileSync(file, 'utf8') === digest;
}

export function writeStamp(file, digest) {
  writeFileSync(file, digest);
}
