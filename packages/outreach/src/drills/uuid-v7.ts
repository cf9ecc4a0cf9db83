import { randomBytes } from 'node:crypto';

/** As a phone makes it: the time in front, random bits behind. */
export function uuidV7(nowMs = Date.now()): string {
  const random = randomBytes(10).toString('hex');
  const hex = `${nowMs.toString(16).padStart(12, '0')}7${random.slice(0, 3)}8${random.slice(3, 18)}`;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
