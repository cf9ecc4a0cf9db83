export interface Pace {
  /** So many were due and given out since the beginning. */
  readonly given: number;
  stop(): void;
}

const tickMs = 1;
/** What could not be given out within this time is left out, or a sender that is too slow would only ever grow its debt. */
const maxDebtMs = 50;

/** Calls `give` about every millisecond with how many are due by now. */
export function startPace(perSecond: number, give: (count: number) => void): Pace {
  let given = 0;
  let debt = 0;
  let atMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    debt = Math.min(debt + ((nowMs - atMs) * perSecond) / 1000, (maxDebtMs * perSecond) / 1000 + 1);
    atMs = nowMs;
    const count = Math.floor(debt);
    debt -= count;
    given += count;
    if (count > 0) give(count);
  }, tickMs);
  return {
    get given() {
      return given;
    },
    stop: () => clearInterval(timer),
  };
}
