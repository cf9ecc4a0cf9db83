/** A whole number in ASCII, up to the first byte that is no digit. */
export function readNumber(buffer: Buffer, start: number): number {
  let value = 0;
  for (let at = start; ; at += 1) {
    const digit = (buffer[at] as number) - 48;
    if (digit < 0 || digit > 9) return value;
    value = value * 10 + digit;
  }
}
