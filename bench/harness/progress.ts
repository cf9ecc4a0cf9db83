/** Tells what is going on, on the error output: the table alone goes to the standard output. */
export type Progress = (what: string) => void;

const startedAtMs = performance.now();

export function createProgress(scenario: string): Progress {
  return (what) => {
    const seconds = Math.round((performance.now() - startedAtMs) / 1000);
    process.stderr.write(`[${String(seconds).padStart(4)} s] ${scenario}: ${what}\n`);
  };
}
