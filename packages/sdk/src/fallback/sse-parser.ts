/** One server-sent event, as far as the SDK needs it: the frame in `data` says everything else. */
export interface SseParser {
  /** The next piece of the stream, cut anywhere. @throws RangeError where one event is longer than any frame of ours */
  feed(text: string): void;
}

// The largest frame of a trip is far smaller; a stream that is none of ours must not fill the memory.
const maxEventChars = 262_144;

/** Reads `text/event-stream` (HTML standard §9.2.6). Lines may end in LF, CR LF or CR. */
export function createSseParser({
  onData,
  onRetry,
}: {
  onData: (data: string) => void;
  /** How long to wait before coming back, from now on. */
  onRetry: (retryMs: number) => void;
}): SseParser {
  let rest = '';
  let data: string[] = [];
  let chars = 0;

  function endEvent(): void {
    if (data.length > 0) onData(data.join('\n'));
    data = [];
    chars = 0;
  }

  function readLine(line: string): void {
    if (line === '') {
      endEvent();
      return;
    }
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'retry' && /^\d+$/.test(value)) onRetry(Number(value));
    if (name !== 'data') return;
    data.push(value);
    chars += value.length;
  }

  return {
    feed(text) {
      // A CR at the end may be half of a CR LF: it waits for what follows.
      const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      for (const line of lines) readLine(line);
      if (rest.length + chars > maxEventChars) throw new RangeError('An event of the stream is too long');
    },
  };
}
