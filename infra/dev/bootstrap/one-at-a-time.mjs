import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stateDir } from './workspace.mjs';

const lockFile = join(stateDir, 'bootstrap.lock');

/** Installing and building twice at once would leave half of each: the second command waits for the first. */
export async function oneAtATime(work) {
  let isWaiting = false;
  while (!takeLock()) {
    const owner = Number(readFileSync(lockFile, { encoding: 'utf8', flag: 'a+' }));
    if (!isAlive(owner)) rmSync(lockFile, { force: true });
    else if (!isWaiting) console.log(`  waiting for process ${owner}, which is installing or building here`);
    isWaiting = true;
    await sleep(200);
  }
  try {
    return await work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function takeLock() {
  try {
    writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function isAlive(pid) {
  if (!pid) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}
