import { readFile } from 'node:fs/promises';
import type { OnProgress } from './engine.ts';
import { withProgress } from './progress.ts';
import { runProgram } from './run-program.ts';

export type AptResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/**
 * Installs Debian packages where that is possible and polite: as root on Debian, Ubuntu or a child of theirs.
 * A missing right or a failed install is a result with its reason, so that the caller can name the other choices.
 */
export async function installWithApt(packages: readonly string[], onProgress?: OnProgress): Promise<AptResult> {
  if (process.getuid?.() !== 0) return { ok: false, reason: 'installing it needs root' };
  if (!(await isDebianFamily())) return { ok: false, reason: 'this is neither Debian nor Ubuntu' };
  return withProgress(`installing ${packages.join(', ')} with apt`, onProgress, async () => {
    // Another process of ours may install at the same moment: apt waits for its turn.
    const wait = ['-o', 'DPkg::Lock::Timeout=180', '-q'];
    const settings = { timeoutMs: 300_000, env: { DEBIAN_FRONTEND: 'noninteractive' } };
    const update = await runProgram('apt-get', [...wait, 'update'], settings);
    const install = await runProgram(
      'apt-get',
      [...wait, 'install', '-y', '--no-install-recommends', ...packages],
      settings,
    );
    if (install.ok) return { ok: true };
    return { ok: false, reason: `apt-get failed: ${update.ok ? install.reason : update.reason}` };
  });
}

async function isDebianFamily(): Promise<boolean> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^(ID|ID_LIKE)=.*\b(debian|ubuntu)\b/m.test(release);
}
