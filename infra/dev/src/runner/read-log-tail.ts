import { open } from 'node:fs/promises';

const tailBytes = 32_768;

/** The last lines of a log for a person: of JSON lines time, level, message and what else they hold. */
export async function readLogTail(file: string, lines = 12): Promise<string[]> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const from = Math.max(0, size - tailBytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - from), 0, size - from, from);
    const text = buffer.subarray(0, bytesRead).toString('utf8').trimEnd();
    return text === '' ? ['(nothing was logged)'] : text.split('\n').slice(-lines).map(readable);
  } finally {
    await handle.close();
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
