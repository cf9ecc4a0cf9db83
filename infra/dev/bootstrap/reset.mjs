import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Stop } from './stop.mjs';
import { rootDir, stateDir } from './workspace.mjs';

// The embedded database's program is no data, and fetching it again takes a network.
const kept = /^secantus-|^logs$/;
const claimDepth = 3;

/** Forgets everything that was stored: positions, history, keys. Refuses while something runs on it. */
export function reset() {
  if (!existsSync(stateDir)) return console.log('There is nothing to reset.');
  const owner = findLivingOwner(stateDir, claimDepth);
  if (owner) {
    throw new Stop(
      `${relative(rootDir, owner.folder)} is in use by process ${owner.pid}: stop that first (Ctrl-C where it runs), then reset.`,
    );
  }
  for (const name of readdirSync(stateDir)) {
    if (!kept.test(name)) rmSync(join(stateDir, name), { recursive: true, force: true });
  }
  console.log('Reset: stored positions, history and keys are gone; the next start begins anew.');
}

/** Who started an engine here writes `engine.json` beside its data: `{"owner":"<pid>@<start time>"}`. */
function findLivingOwner(folder, depth) {
  const claim = join(folder, 'engine.json');
  if (existsSync(claim)) {
    const { owner } = JSON.parse(readFileSync(claim, 'utf8'));
    if (isAlive(owner)) return { folder, pid: Number.parseInt(owner, 10) };
  }
  if (depth === 0) return undefined;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (kept.test(name) || !statSync(path, { throwIfNoEntry: false })?.isDirectory()) continue;
    const found = findLivingOwner(path, depth - 1);
    if (found) return found;
  }
  return undefined;
}

/** Process ids come back, so on Linux the start time must be the same too (field 22 of /proc/<pid>/stat). */
function isAlive(identity) {
  const [pid, startedAt] = identity.split('@');
  try {
    if (process.platform !== 'linux') return process.kill(Number(pid), 0);
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] === startedAt;
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return false;
    throw error;
  }
}
