import type { OnProgress } from '@hushryd/platform/engines/engine';

export interface Progress {
  /** Tell a step while it lasts: what it is and how long so far. */
  during<T>(what: string, work: () => Promise<T>): Promise<T>;
  /** The same for what reports by itself. */
  readonly onProgress: OnProgress;
  /** Take the line that is still being counted off the screen. */
  clear(): void;
}

/** On a terminal one line that counts; elsewhere (a log file, CI) a line at the start and one every ten seconds. */
export function showProgress(output: NodeJS.WriteStream): Progress {
  const isLive = output.isTTY;
  let shown = '';
  const clear = () => {
    if (isLive && shown) output.write('\r\x1b[K');
    shown = '';
  };
  const onProgress: OnProgress = ({ what, elapsedSeconds }) => {
    const line = elapsedSeconds === 0 ? `  ${what} …` : `  ${what} … ${elapsedSeconds} s`;
    if (isLive) output.write(`\r\x1b[K${line}`);
    else if (elapsedSeconds % 10 === 0) output.write(`${line}\n`);
    shown = line;
  };
  return {
    onProgress,
    clear,
    async during(what, work) {
      const startedAtMs = performance.now();
      const elapsed = () => (performance.now() - startedAtMs) / 1000;
      onProgress({ what, elapsedSeconds: 0 });
      const timer = setInterval(() => onProgress({ what, elapsedSeconds: Math.floor(elapsed()) }), 1000);
      try {
        const result = await work();
        clear();
        output.write(`  ${what}: done in ${elapsed().toFixed(1)} s\n`);
        return result;
      } finally {
        clearInterval(timer);
        clear();
      }
    },
  };
}
