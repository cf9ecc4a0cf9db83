import { crc32 } from 'node:zlib';

/** What one file of the journal holds: good entries in order, and how many lines were none. */
export interface ReadLines {
  entries: unknown[];
  /** Lines whose checksum is wrong, or that are cut: the last one after a crash was never acknowledged. */
  damagedCount: number;
}

/**
 * One entry as a line: eight hex digits of CRC-32, a space, JSON. Text, so that a person can read a journal whose node does not start
 * any more, and so that one damaged line costs one entry.
 */
export function encodeLine(entry: unknown): string {
  const json = JSON.stringify(entry);
  return `${checksum(json)} ${json}\n`;
}

export function readLines(text: string): ReadLines {
  const entries: unknown[] = [];
  let damagedCount = 0;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const entry = readLine(line);
    if (entry === undefined) damagedCount += 1;
    else entries.push(entry);
  }
  return { entries, damagedCount };
}

function readLine(line: string): unknown {
  const json = line.slice(9);
  if (line[8] !== ' ' || line.slice(0, 8) !== checksum(json)) return undefined;
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const checksum = (text: string): string => crc32(text).toString(16).padStart(8, '0');
