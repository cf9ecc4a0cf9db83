import { encodeLocFrame } from '@hushryd/contracts/realtime/binary/loc-frame';
import { realtimeLimits } from '@hushryd/contracts/realtime/limits';
import type { OutgoingFrame } from '../connection/socket.ts';
import type { RunOfFixes } from './run-of-fixes.ts';

/** A `loc` frame, ready to send. */
export interface PackedLocFrame {
  frame: OutgoingFrame;
  firstSeq: number;
  lastSeq: number;
}

/**
 * The next `loc` frame of a run: as many waiting fixes of one trip as fit into the protocol's limits, as JSON text. Each fix is
 * encoded once. Undefined when none waits.
 */
export function packJsonLocFrame(input: {
  id: number;
  run: number;
  source: RunOfFixes;
  maxBytes?: number;
}): PackedLocFrame | undefined {
  const { id, run, source, maxBytes = realtimeLimits.frameBytes } = input;
  const { kept, firstWaiting } = source;
  const first = kept[firstWaiting];
  if (!first) return undefined;

  const { tripId } = first;
  const envelope = JSON.stringify({
    type: 'loc',
    id,
    run,
    from: source.lowestKept,
    ...(tripId !== undefined && { tripId }),
  });
  const head = `${envelope.slice(0, -1)},"fixes":[`;
  const tail = ']}';

  const encoded: string[] = [];
  let bytes = utf8Length(head) + tail.length;
  let lastSeq = first.fix.seq;
  for (let index = firstWaiting; index < kept.length && encoded.length < realtimeLimits.fixesPerFrame; index += 1) {
    const next = kept[index];
    if (!next || next.tripId !== tripId) break;
    const text = JSON.stringify(next.fix);
    const comma = encoded.length > 0 ? 1 : 0;
    // One fix is far below any limit; the first always goes, so that a tiny limit cannot stop the queue.
    if (encoded.length > 0 && bytes + comma + utf8Length(text) > maxBytes) break;
    bytes += comma + utf8Length(text);
    encoded.push(text);
    lastSeq = next.fix.seq;
  }
  return { frame: head + encoded.join(',') + tail, firstSeq: first.fix.seq, lastSeq };
}

/** The same in binary: a hundred fixes are always far below the limit of a frame. */
export function packBinaryLocFrame(input: { id: number; run: number; source: RunOfFixes }): PackedLocFrame | undefined {
  const { id, run, source } = input;
  const { kept, firstWaiting } = source;
  const first = kept[firstWaiting];
  if (!first) return undefined;
  const { tripId } = first;
  const waiting = kept.slice(firstWaiting, firstWaiting + realtimeLimits.fixesPerFrame);
  const end = waiting.findIndex((next) => next.tripId !== tripId);
  const fixes = (end < 0 ? waiting : waiting.slice(0, end)).map(({ fix }) => fix);
  const frame = encodeLocFrame({ id, run, from: source.lowestKept, ...(tripId !== undefined && { tripId }), fixes });
  return { frame, firstSeq: first.fix.seq, lastSeq: fixes.at(-1)?.seq ?? first.fix.seq };
}

/** Bytes of a text in UTF-8, as the server counts them. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) bytes += 1;
    else if (code < 0x800) bytes += 2;
    else bytes += code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
