import { randomBytes } from 'node:crypto';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import { type HeldFolder, holdFolder } from './hold-folder.ts';
import { createJournalFile, type JournalFile, readJournalFiles, removeJournalFile, setAside } from './journal-file.ts';
import { encodeLine } from './journal-lines.ts';

/** One thing that must not be lost before the database has it. `key` names it: the same key again is the same entry. */
export interface JournalEntry<Body = unknown> {
  readonly key: string;
  readonly body: Body;
}

export interface Journal<Body> {
  /**
   * Keep an entry. On this node's disk when it resolves; entries that come while another is written share the next write.
   *
   * @param options.isLesser the last quarter of the room is for others
   * @throws AppError `sos_not_persisted` where it is full, closed, or the disk failed: then the entry may or may not come back
   * Cost: one append and fdatasync (p50 0.2 ms, p99 1.6 ms), shared.
   */
  append(entry: JournalEntry<Body>, options?: { isLesser?: boolean }): Promise<void>;
  /** What is not settled yet, oldest first. */
  pending(): readonly JournalEntry<Body>[];
  /** Of these, what one owner has. Cost: what it finds, however much others have. */
  pendingOf(owner: string): readonly JournalEntry<Body>[];
  find(key: string): Body | undefined;
  /** Remember of an entry that the database has it, until that is looked up and the entry settled. Not on the disk. */
  markStored(key: string): void;
  isStored(key: string): boolean;
  /** The database has these: forget them. Files go once all in them is settled. */
  settle(keys: readonly string[]): Promise<void>;
  readonly bytes: number;
  /**
   * Whether the next press can be expected to be kept: open, room left, and the disk took what it was last given. A disk that failed is
   * believed again after 10 s, since nobody knows but by trying.
   */
  readonly canTake: boolean;
  close(): Promise<void>;
}

export interface JournalSettings {
  /** Folder of the node; each process holds a folder of its own in it. */
  rootDir: string;
  /** All files together. Beyond it nothing is taken: the disk is for other things too. */
  maxBytes: number;
  /** A file that is larger takes no more. */
  fileBytes?: number;
}

interface Waiting<Body> {
  text: string;
  kept: Kept<Body>;
  done: () => void;
  failed: (error: unknown) => void;
}

interface Kept<Body> {
  entry: JournalEntry<Body>;
  /** Where it lies; undefined while it is being written. */
  path: string | undefined;
  written: Promise<void>;
  isStored?: true;
}

const defaultFileBytes = 4 * 1024 * 1024;
/** More than a press takes, with its note and all its contacts sealed. */
const pressBytes = 16_384;
const believedAgainAfterMs = 10_000;

/**
 * An append-only journal on this node's disk, for what was acknowledged and is not in the database yet.
 *
 * What a process before this one left is pending at once. A last line that was cut by a crash is skipped, since nobody was told that it
 * stands; any other damaged line is counted, logged, and its file kept aside when the rest of it is settled. A file whose write failed is
 * never written again: after a failed fsync nobody can say what is on the disk.
 *
 * Bounded: `maxBytes` on disk, and as much in memory.
 */
export async function openJournal<Body>({
  settings: { rootDir, maxBytes, fileBytes = defaultFileBytes },
  ownerOf,
  log,
  held,
  now = () => performance.now(),
}: {
  settings: JournalSettings;
  /** Whose entry it is. */
  ownerOf: (body: Body) => string;
  log: Logger;
  /** A folder that is held already, to settle what was left in it. */
  held?: HeldFolder;
  /** Monotonic, in milliseconds. */
  now?: () => number;
}): Promise<Journal<Body>> {
  const folder = held ?? (await holdFolder(rootDir));
  const kept = new Map<string, Kept<Body>>();
  /** The same by owner: with thousands of entries pending none of them is looked at for somebody else's. */
  const keptOf = new Map<string, Map<string, Kept<Body>>>();
  /** Entries by file that are not settled, and how large the file is. */
  const files = new Map<string, { unsettled: Set<string>; bytes: number; isDamaged: boolean }>();
  let current: JournalFile | undefined;
  let waiting: Waiting<Body>[] = [];
  let writing: Promise<void> | undefined;
  let isClosed = false;
  let failedAtMs = Number.NEGATIVE_INFINITY;
  let fileNumber = 0;
  // Files are read in the order of their names, also those of a process that started in the same millisecond.
  const namePrefix = `${String(Date.now()).padStart(15, '0')}-${randomBytes(3).toString('hex')}`;

  await restore();

  async function restore(): Promise<void> {
    for (const { path, bytes, entries, damagedCount } of await readJournalFiles(folder.path)) {
      const unsettled = new Set<string>();
      for (const entry of entries as JournalEntry<Body>[]) {
        if (kept.has(entry.key)) continue;
        keep({ entry, path, written: Promise.resolve() });
        unsettled.add(entry.key);
      }
      // One is what a crash leaves.
      files.set(path, { unsettled, bytes, isDamaged: damagedCount > 1 });
      if (damagedCount > 0) log.warn({ count: damagedCount, path }, 'lines of the sos journal are cut or damaged');
      if (unsettled.size === 0) await removeFile(path);
    }
  }

  function keep(one: Kept<Body>): void {
    const { key, body } = one.entry;
    kept.set(key, one);
    const owner = ownerOf(body);
    keptOf.set(owner, (keptOf.get(owner) ?? new Map<string, Kept<Body>>()).set(key, one));
  }

  function drop({ entry: { key, body } }: Kept<Body>): void {
    kept.delete(key);
    const owner = ownerOf(body);
    const own = keptOf.get(owner);
    if (own?.delete(key) && own.size === 0) keptOf.delete(owner);
  }

  function totalBytes(): number {
    let total = 0;
    for (const file of files.values()) total += file.bytes;
    return total;
  }

  function append(entry: JournalEntry<Body>, { isLesser = false }: { isLesser?: boolean } = {}): Promise<void> {
    const known = kept.get(entry.key);
    if (known !== undefined) return known.written;
    if (isClosed) return Promise.reject(new AppError('sos_not_persisted', { detail: 'the journal is closed' }));
    const text = encodeLine(entry);
    if (totalBytes() + text.length > (isLesser ? (3 / 4) * maxBytes : maxBytes)) {
      return Promise.reject(new AppError('sos_not_persisted', { detail: 'the journal is full' }));
    }
    const one: Kept<Body> = { entry, path: undefined, written: Promise.resolve() };
    one.written = new Promise<void>((done, failed) => void waiting.push({ text, kept: one, done, failed }));
    keep(one);
    writing ??= writeWaiting();
    return one.written;
  }

  /** One group after another: what comes while the disk is busy shares the next sync. */
  async function writeWaiting(): Promise<void> {
    // In a microtask, so that the entries of one turn share the first one.
    await Promise.resolve();
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        const file = await currentFile();
        await file.write(group.map(({ text }) => text).join(''));
        const record = files.get(file.path);
        for (const { kept: one, done } of group) {
          one.path = file.path;
          record?.unsettled.add(one.entry.key);
          done();
        }
        if (record !== undefined) record.bytes = file.bytes;
        failedAtMs = Number.NEGATIVE_INFINITY;
      } catch (cause) {
        failedAtMs = now();
        log.error({ err: cause }, 'the sos journal could not be written');
        await leaveFailed();
        for (const { kept: one, failed } of group) {
          drop(one);
          failed(new AppError('sos_not_persisted', { detail: 'the disk failed', cause }));
        }
      }
    }
    writing = undefined;
  }

  async function currentFile(): Promise<JournalFile> {
    if (current !== undefined && current.bytes >= fileBytes) await leaveFile();
    if (current === undefined) {
      fileNumber += 1;
      current = await createJournalFile(folder.path, `${namePrefix}-${String(fileNumber).padStart(6, '0')}`);
      files.set(current.path, { unsettled: new Set(), bytes: 0, isDamaged: false });
    }
    return current;
  }

  async function leaveFile(): Promise<void> {
    const left = current;
    current = undefined;
    await left?.close().catch(() => undefined);
  }

  async function leaveFailed(): Promise<void> {
    const path = current?.path;
    await leaveFile();
    if (path === undefined || files.get(path)?.unsettled.size !== 0) return;
    // Nothing in it was acknowledged; a disk that is full has no room for empty files either.
    await removeFile(path).catch(() => undefined);
  }

  async function settle(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      const one = kept.get(key);
      if (one?.path === undefined) continue;
      drop(one);
      files.get(one.path)?.unsettled.delete(key);
    }
    // A file that is being written keeps its place until the group is done.
    if (writing !== undefined) return;
    for (const [path, { unsettled, bytes }] of [...files]) {
      if (unsettled.size > 0 || bytes === 0) continue;
      if (path === current?.path) await leaveFile();
      await removeFile(path);
    }
  }

  async function removeFile(path: string): Promise<void> {
    const isDamaged = files.get(path)?.isDamaged === true;
    files.delete(path);
    if (isDamaged) await setAside(path);
    else await removeJournalFile(folder.path, path);
  }

  return {
    append,
    pending: () => written(kept),
    pendingOf: (owner) => written(keptOf.get(owner)),
    find: (key) => kept.get(key)?.entry.body,
    markStored(key) {
      const one = kept.get(key);
      if (one !== undefined) one.isStored = true;
    },
    isStored: (key) => kept.get(key)?.isStored === true,
    settle,
    get bytes() {
      return totalBytes();
    },
    get canTake() {
      return !isClosed && totalBytes() + pressBytes <= maxBytes && now() - failedAtMs >= believedAgainAfterMs;
    },
    async close() {
      isClosed = true;
      await writing;
      await leaveFile();
      await folder.release();
    },
  };
}

function written<Body>(some: ReadonlyMap<string, Kept<Body>> | undefined): JournalEntry<Body>[] {
  return [...(some?.values() ?? [])].filter(({ path }) => path !== undefined).map(({ entry }) => entry);
}
