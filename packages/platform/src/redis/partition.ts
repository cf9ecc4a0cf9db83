const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * The partition an id belongs to: FNV-1a (32 bit) over its UTF-8, modulo `count`.
 *
 * Every process must agree, so the layout key names this hash: change it and the processes refuse to start on old data.
 */
export function partitionOf(id: string, count: number): number {
  let hash = FNV_OFFSET;
  for (let index = 0; index < id.length; index += 1) {
    const unit = id.charCodeAt(index);
    if (unit > 0x7f) return hashBytes(Buffer.from(id, 'utf8')) % count;
    hash = Math.imul(hash ^ unit, FNV_PRIME);
  }
  return (hash >>> 0) % count;
}

/** Name of the hash in the layout key. */
export const PARTITION_HASH = 'fnv1a32';

function hashBytes(bytes: Uint8Array): number {
  let hash = FNV_OFFSET;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME);
  return hash >>> 0;
}
