import type { AcceptedFix } from '../accept-fix.ts';
import { readMotion, writeMotion } from '../feed/packed-positions.ts';

/*
 * A batch of fixes on its way to MongoDB: field `b` of an entry of the fixes stream. Little endian, groups one after another:
 *
 *   u8 length + driver id · u8 length + trip id (0: none) · f64 run · u32 from · f64 receivedAtMs
 *   u16 drops · drops × u32 seq · u16 fixes · fixes × 28 bytes
 *   fix: u32 seq · f64 recordedAtMs · motion (15 bytes, packed-positions.ts) · u8 flags (bit 0: live)
 *
 * write-batch.lua leaves out durable fixes, so it knows that a fix takes 28 bytes and begins with its seq, and writes the count.
 */
const fixBytes = 28;

/** What one frame brought, as the history worker reads it back. `drops`: seqs that were answered with a reason. */
export interface StreamedGroup {
  driverId: string;
  tripId?: string;
  run: number;
  /** Lowest seq that the phone still kept: everything below is closed. */
  from: number;
  receivedAtMs: number;
  drops: number[];
  fixes: AcceptedFix[];
}

/** The group up to and with its drops; the script appends count and fixes. */
export function encodeGroupHeader(
  group: Omit<StreamedGroup, 'fixes' | 'tripId'> & { tripId?: string | undefined },
): Buffer {
  const { driverId, tripId = '', drops } = group;
  const header = Buffer.allocUnsafe(24 + driverId.length + tripId.length + 4 * drops.length);
  let at = header.writeUInt8(driverId.length, 0);
  at += header.write(driverId, at, 'latin1');
  at = header.writeUInt8(tripId.length, at);
  at += header.write(tripId, at, 'latin1');
  at = header.writeDoubleLE(group.run, at);
  at = header.writeUInt32LE(group.from, at);
  at = header.writeDoubleLE(group.receivedAtMs, at);
  at = header.writeUInt16LE(drops.length, at);
  for (const seq of drops) at = header.writeUInt32LE(seq, at);
  return header;
}

/** Fixes as fixed-size records, so that the script can slice them. */
export function encodeFixes(fixes: readonly AcceptedFix[]): Buffer {
  const records = Buffer.allocUnsafe(fixes.length * fixBytes);
  let at = 0;
  for (const fix of fixes) {
    records.writeUInt32LE(fix.seq, at);
    records.writeDoubleLE(fix.recordedAtMs, at + 4);
    writeMotion(records, at + 12, fix);
    records.writeUInt8(fix.live ? 1 : 0, at + 27);
    at += fixBytes;
  }
  return records;
}

/** Take a stream entry apart. Throws RangeError on a cut-off entry. */
export function decodeEntry(entry: Buffer): StreamedGroup[] {
  const groups: StreamedGroup[] = [];
  let at = 0;
  while (at < entry.length) {
    const driverLength = entry.readUInt8(at);
    const driverId = entry.toString('latin1', at + 1, at + 1 + driverLength);
    at += 1 + driverLength;
    const tripLength = entry.readUInt8(at);
    const tripId = entry.toString('latin1', at + 1, at + 1 + tripLength);
    at += 1 + tripLength;
    const run = entry.readDoubleLE(at);
    const from = entry.readUInt32LE(at + 8);
    const receivedAtMs = entry.readDoubleLE(at + 12);
    const dropCount = entry.readUInt16LE(at + 20);
    at += 22;
    const drops: number[] = [];
    for (let index = 0; index < dropCount; index += 1, at += 4) drops.push(entry.readUInt32LE(at));
    const fixCount = entry.readUInt16LE(at);
    at += 2;
    const fixes: AcceptedFix[] = [];
    for (let index = 0; index < fixCount; index += 1, at += fixBytes) fixes.push(decodeFix(entry, at));
    groups.push({ driverId, ...(tripLength > 0 && { tripId }), run, from, receivedAtMs, drops, fixes });
  }
  return groups;
}

function decodeFix(entry: Buffer, at: number): AcceptedFix {
  return {
    seq: entry.readUInt32LE(at),
    recordedAtMs: entry.readDoubleLE(at + 4),
    ...readMotion(entry, at + 12),
    live: (entry.readUInt8(at + 27) & 1) === 1,
  };
}
