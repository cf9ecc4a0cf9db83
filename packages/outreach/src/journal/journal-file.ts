import { type FileHandle, open, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type ReadLines, readLines } from './journal-lines.ts';

const suffix = '.journal';

/** A file of the journal that takes entries. After anything went wrong it takes none any more. */
export interface JournalFile {
  readonly path: string;
  readonly bytes: number;
  /** On disk when it resolves. @throws where it is not, or nobody can say */
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

/** Make a new file; it is there after a power loss too. */
export async function createJournalFile(folder: string, name: string): Promise<JournalFile> {
  const path = join(folder, `${name}${suffix}`);
  const handle: FileHandle = await open(path, 'ax', 0o600);
  await syncFolder(folder);
  let bytes = 0;
  return {
    path,
    get bytes() {
      return bytes;
    },
    async write(text) {
      const data = Buffer.from(text);
      bytes += data.length;
      await handle.appendFile(data);
      await handle.datasync();
    },
    close: () => handle.close(),
  };
}

export async function removeJournalFile(folder: string, path: string): Promise<void> {
  await unlink(path);
  await syncFolder(folder);
}

/** Files that were left in a folder, oldest first, with what can be read of them. */
export async function readJournalFiles(folder: string): Promise<(ReadLines & { path: string; bytes: number })[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(suffix)).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const text = await readFile(path, 'utf8');
      return { path, bytes: Buffer.byteLength(text), ...readLines(text) };
    }),
  );
}

/** Keep a damaged file for a person to look at, where nobody reads it again. */
export const setAside = (path: string): Promise<void> => rename(path, `${path}.damaged`);

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
