/** The part of Web Crypto that every runtime has: browsers, React Native with its polyfill, Node ≥ 20. */
interface HostCrypto {
  getRandomValues(bytes: Uint8Array): Uint8Array;
}

/** A UUIDv7 (RFC 9562): the time in front, 74 random bits behind. */
export function uuidV7(nowMs: number): string {
  const { crypto } = globalThis as unknown as { crypto: HostCrypto };
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let rest = Math.max(0, Math.floor(nowMs));
  for (let index = 5; index >= 0; index -= 1) {
    bytes[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes[6] = 0x70 | ((bytes[6] as number) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f);
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
