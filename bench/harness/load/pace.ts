export interface Pace {
  /** So many were due and given out since the beginning. */
  readonly given: number;
  stop(): void;
}

const tickMs = 1;
/** What could not be given out within this time is left out, or a sender that is too slow would only ever grow its debt. */
const maxDebtMs = 500;
/**
 * Calls `give` with how many are due, every millisecond, or turn after turn of the event loop while more are due than one turn gives.
 *
 * @param input.maxPerTurn a sender that is behind would else hand each socket many frames at once, and have the throughput of long batches
 */
export function startPace(input: { perSecond: number; maxPerTurn: number }, give: (count: number) => void): Pace {
  const { perSecond, maxPerTurn } = input;
  let given = 0;
  let debt = 0;
  let atMs = performance.now();
  let isStopped = false;

  function turn(): void {
    if (isStopped) return;
    const nowMs = performance.now();
    debt = Math.min(debt + ((nowMs - atMs) * perSecond) / 1000, (maxDebtMs * perSecond) / 1000);
    atMs = nowMs;
    const count = Math.min(Math.floor(debt), maxPerTurn);
    debt -= count;
    given += count;
    if (count > 0) give(count);
    if (debt >= 1) setImmediate(turn);
    else setTimeout(turn, tickMs);
  }
  turn();

  return {
    get given() {
      return given;
    },
    stop() {
      isStopped = true;
    },
  };
}
