import { execFile } from 'node:child_process';

export type ProgramResult =
  | { readonly ok: true; readonly output: string }
  | { readonly ok: false; readonly isMissing: boolean; readonly reason: string };

/** Runs a program from PATH to its end. That it is missing or fails is a result, not an error. */
export function runProgram(
  command: string,
  args: readonly string[],
  options: { readonly timeoutMs: number; readonly env?: Record<string, string> },
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const settings = {
      timeout: options.timeoutMs,
      maxBuffer: 16 * 1024 * 1024,
      env: { ...process.env, ...options.env },
    };
    execFile(command, [...args], settings, (error, stdout, stderr) => {
      if (!error) return resolve({ ok: true, output: stdout });
      resolve({ ok: false, isMissing: error.code === 'ENOENT', reason: lastLine(stderr) || error.message });
    });
  });
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1)?.trim() ?? '';
}
