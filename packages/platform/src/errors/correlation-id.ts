import { randomUUID } from 'node:crypto';

const wellFormed = /^[A-Za-z0-9._-]{8,64}$/;

/** The given `X-Request-ID` where it is 8–64 of `A–Z a–z 0–9 . _ -`, else a new one: it stands in logs and replies. */
export function readCorrelationId(given: string | readonly string[] | undefined): string {
  return typeof given === 'string' && isCorrelationId(given) ? given : randomUUID();
}

/** Whether it may stand in a header. */
export const isCorrelationId = (text: string): boolean => wellFormed.test(text);
