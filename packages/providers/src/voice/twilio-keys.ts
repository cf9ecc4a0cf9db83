import { readUrl } from '../receipts/read-fields.ts';

/** What Twilio gives back with the keys, since it stands in their address. It is part of what Twilio signs. */
export interface AskedKeys {
  /** BCP 47: what the call speaks. */
  readonly language: string;
  /** Which time keys are asked for in this call, from 1. */
  readonly timesAsked: number;
}

/** Time to press a key, once all is said. */
export const secondsForKeys = 10;

const defaultLanguage = 'en-IN';

/** @param digitsUrl of webhookAddress, with or without what an earlier time put into it */
export function addressOfKeys(digitsUrl: string, { language, timesAsked }: AskedKeys): string {
  const query = new URLSearchParams({ language, asked: String(timesAsked) });
  return `${digitsUrl.split('?')[0]}?${query}`;
}

export function readAskedKeys(url: string): AskedKeys {
  const query = readUrl(url)?.searchParams;
  const timesAsked = Number(query?.get('asked'));
  return {
    language: query?.get('language') || defaultLanguage,
    timesAsked: Number.isInteger(timesAsked) && timesAsked > 0 ? timesAsked : 1,
  };
}
