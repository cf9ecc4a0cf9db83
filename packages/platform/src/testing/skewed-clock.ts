/**
 * Arguments of Node for a process whose clock is wrong, as `Date` tells it; timers and `performance.now()` go on as they are, as they do where
 * a machine's clock is set.
 *
 * @param offMs by so much, ahead of the right time
 * @param from the clock is right until the process gets this signal
 */
export function clockOff(offMs: number, { from }: { from?: NodeJS.Signals } = {}): string[] {
  const source = `
    const Right = Date;
    let offMs = ${from === undefined ? offMs : 0};
    ${from === undefined ? '' : `process.on('${from}', () => { offMs = ${offMs}; });`}
    globalThis.Date = class extends Right {
      constructor(...given) { super(...(given.length === 0 ? [Right.now() + offMs] : given)); }
      static now() { return Right.now() + offMs; }
    };`;
  return [`--import=data:text/javascript,${encodeURIComponent(source)}`];
}
