import type { OnProgress } from './engine.ts';
import { installWithApt } from './install-with-apt.ts';
import { runProgram } from './run-program.ts';

export type PythonResult = { readonly command: string } | { readonly missing: string };

const oldestMinor = 11;
const candidates = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11'];
// ensurepip is what Debian keeps apart in python3-venv.
const probe = 'import sys, venv, ensurepip; print(sys.version_info.major, sys.version_info.minor)';

/** Finds a Python ≥ 3.11 that can make virtual environments; as root on Debian or Ubuntu, apt brings what is missing. */
export async function findPython(onProgress?: OnProgress): Promise<PythonResult> {
  const command = await findOnPath();
  if (command) return { command };
  const apt = await installWithApt(['python3', 'python3-venv'], onProgress);
  const installed = apt.ok ? await findOnPath() : undefined;
  if (installed) return { command: installed };
  return { missing: `Python ≥ 3.${oldestMinor} with venv is not on PATH${apt.ok ? '' : ` and ${apt.reason}`}` };
}

async function findOnPath(): Promise<string | undefined> {
  for (const command of candidates) {
    const result = await runProgram(command, ['-I', '-c', probe], { timeoutMs: 20_000 });
    if (!result.ok) continue;
    const [major, minor] = result.output.trim().split(' ').map(Number);
    if (major === 3 && minor !== undefined && minor >= oldestMinor) return command;
  }
  return undefined;
}
