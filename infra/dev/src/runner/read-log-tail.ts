import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const tailBytes = 32_768;

/** The last lines of a log for a person: of JSON lines time, level, message and what else they hold. Synchronous: it is read when all ends. */
export function readLogTail(file: string, lines = 12): string[] {
  const handle = openSync(file, 'r');
  try {
    const { size } = fstatSync(handle);
    const from = Math.max(0, size - tailBytes);
    const buffer = Buffer.alloc(size - from);
    const bytesRead = readSync(handle, buffer, 0, buffer.length, from);
    const text = buffer.subarray(0, bytesRead).toString('utf8').trimEnd();
    return text === '' ? ['(nothing was logged)'] : text.split('\n').slice(-lines).map(readable);
  } finally {
    closeSync(handle);
  }
}

function readable(line: string): string {
  try {
    const {
      time,
      level,
      msg,
      service: _service,
      instanceId: _id,
      ...rest
    } = JSON.parse(line) as Record<string, unknown>;
    const more = Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : '';
    return `${String(time)} ${String(level)}: ${String(msg)}${more}`;
  } catch {
    return line;
  }
}
