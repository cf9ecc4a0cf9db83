import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ConfigError } from '@hushryd/platform/config/config-error';

/** A folder that no other process holds. */
export interface HeldFolder {
  readonly path: string;
  release(): Promise<void>;
}

/** Systems take a little more (Linux 107, macOS 103); what is moved aside has a longer name. */
const maxSocketPath = 100;
const maxFolders = 1_000;

/**
 * Hold the first folder `0`, `1` … under `root` that nobody holds: so a process that starts again takes what the one before it left, and
 * several on one node do not meet.
 *
 * A socket in the folder says that it is held: the kernel ends it with the process, whatever ends that, so no stale lock ever keeps an
 * alert waiting. (A process id would not do: in containers every process is number 1.)
 *
 * @throws ConfigError where the folder cannot be made, or too many processes are there
 */
export async function holdFolder(root: string): Promise<HeldFolder> {
  for (let number = 0; number < maxFolders; number += 1) {
    const held = await tryHold(join(root, String(number)));
    if (held !== undefined) return held;
  }
  throw new ConfigError(`SOS_JOURNAL_DIR is ${root}, where ${maxFolders} processes hold a folder: use another one.`);
}

/** Folders under `root` that were left by processes that are gone, each held until it is released. */
export async function holdAbandoned(root: string): Promise<HeldFolder[]> {
  const names = (await readdir(root)).filter((name) => /^\d{1,3}$/.test(name));
  const held = await Promise.all(names.map((name) => tryHold(join(root, name))));
  return held.filter((folder) => folder !== undefined);
}

/** @returns undefined where a living process holds it */
async function tryHold(path: string): Promise<HeldFolder | undefined> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new ConfigError(`SOS_JOURNAL_DIR: ${path} cannot be made: correct the path or its permissions.`, { cause });
  }
  const address = socketAddress(path);
  const server = (await listen(address)) ?? (await takeOver(address));
  if (server === undefined) return undefined;
  return { path, release: () => new Promise((done) => void server.close(() => done())) };
}

/** A longer path stands for itself elsewhere, by its hash. */
function socketAddress(path: string): string {
  const direct = join(path, 'owner.sock');
  if (direct.length <= maxSocketPath) return direct;
  return join(tmpdir(), `hushryd-${createHash('sha256').update(resolve(path)).digest('hex').slice(0, 24)}.sock`);
}

/** The socket's file outlives its process; only whoever answers is alive. */
async function takeOver(address: string): Promise<Server | undefined> {
  if (await isAnswered(address)) return undefined;
  // Moved aside and asked once more: somebody else may have taken over, and listens at this very address by now.
  const aside = `${address}.${randomBytes(2).toString('hex')}`;
  try {
    await rename(address, aside);
  } catch {
    return undefined;
  }
  if (await isAnswered(aside)) {
    await rename(aside, address);
    return undefined;
  }
  await unlink(aside);
  return listen(address);
}

function listen(address: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  server.unref();
  return new Promise((done, failed) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') done(undefined);
      else failed(error);
    });
    server.listen(address, () => done(server));
  });
}

function isAnswered(address: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(address);
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    // Anything but a plain refusal may come from somebody who is busy.
    socket.once('error', ({ code }: NodeJS.ErrnoException) => done(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
}
