import { timingSafeEqual } from 'node:crypto';

/** Compares texts in a time that depends on their length alone. Lengths of signatures are no secret. */
export function isSame(given: string, expected: string): boolean {
  const left = Buffer.from(given);
  const right = Buffer.from(expected);
  return left.length === right.length && timingSafeEqual(left, right);
}
