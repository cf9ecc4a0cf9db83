import type { OnProgress } from '@hushryd/platform/engines/engine';
import { installWithApt } from '@hushryd/platform/engines/install-with-apt';
import { runProgram } from '@hushryd/platform/engines/run-program';

export type Haproxy = { readonly program: string; readonly version: string } | { readonly reason: string };

const oldest = [2, 6] as const;
/** The second is where Debian keeps it, out of the PATH of whoever is not root. */
const programs = ['haproxy', '/usr/sbin/haproxy'];

/**
 * Finds an HAProxy ≥ 2.6: on PATH → as root on Debian or Ubuntu, apt installs `haproxy` → the reason there is none, as one sentence
 * with the remedy.
 *
 * Cost: 10 ms where it is installed; half a minute when apt fetches it.
 */
export async function findHaproxy(onProgress?: OnProgress): Promise<Haproxy> {
  const found = await findProgram();
  if ('program' in found) return found;
  const apt = await installWithApt(['haproxy'], onProgress);
  const installed = apt.ok ? await findProgram() : found;
  if ('program' in installed) return installed;
  return {
    reason:
      `No HAProxy ≥ ${oldest.join('.')} was found (${installed.tooOld ?? (apt.ok ? 'apt brought none' : apt.reason)}): put haproxy on PATH ` +
      '(Debian, Ubuntu: apt-get install haproxy), or start one node, which needs none.',
  };
}

async function findProgram(): Promise<{ program: string; version: string } | { tooOld?: string }> {
  let tooOld: string | undefined;
  for (const program of programs) {
    const result = await runProgram(program, ['-v'], { timeoutMs: 10_000 });
    const version = result.ok ? /version (\d+\.\d+(?:\.\d+)?)/.exec(result.output)?.[1] : undefined;
    if (version === undefined) continue;
    if (isNewEnough(version)) return { program, version };
    tooOld = `${program} is ${version}`;
  }
  return tooOld === undefined ? {} : { tooOld };
}

export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
}
