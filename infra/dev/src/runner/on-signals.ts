/** npm passes on a Ctrl-C that the terminal has sent to us already. */
const sameSignalMs = 250;

/** Where signals come from: the process, or an emitter in tests. */
interface SignalSource {
  on(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown;
}

/** Call `first` on the first signal and `second` on the next, whichever they are. */
export function onSignals(input: {
  source: SignalSource;
  first: () => void;
  second: () => void;
  now?: () => number;
}): void {
  const { source, first, second, now = () => performance.now() } = input;
  let firstAtMs: number | undefined;
  let hasSecond = false;
  const receive = () => {
    if (firstAtMs === undefined) {
      firstAtMs = now();
      first();
    } else if (!hasSecond && now() - firstAtMs > sameSignalMs) {
      hasSecond = true;
      second();
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) source.on(signal, receive);
}
