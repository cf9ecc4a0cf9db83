import { createHmac } from 'node:crypto';
import type { ProviderName } from '../provider.ts';
import { isSame } from './is-same.ts';

/** Attempt ids stand in addresses, in headers and in vendors' fields. */
const wellFormed = /^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$/;

/**
 * A MAC of 256 bits over a provider and an attempt, base64url: what vendors that do not sign carry back to us instead.
 *
 * @param key at least 32 random characters, of this installation alone
 * @throws RangeError where the id could not stand in an address
 */
export function macOfAttempt({
  provider,
  attemptId,
  key,
}: {
  provider: ProviderName;
  attemptId: string;
  key: string;
}): string {
  if (!wellFormed.test(attemptId)) throw new RangeError('An attempt id is 1 to 128 of A–Z a–z 0–9 . _ ~ -');
  return createHmac('sha256', key).update(`${provider}\n${attemptId}`).digest('base64url');
}

/** `attemptId:mac`, for vendors that give back one text. */
export function signAttempt(input: { provider: ProviderName; attemptId: string; key: string }): string {
  return `${input.attemptId}:${macOfAttempt(input)}`;
}

/** True where one of the keys made this MAC. In constant time; two keys while one is rotated. */
export function isMacOfAttempt({
  provider,
  attemptId,
  mac,
  keys,
}: {
  provider: ProviderName;
  attemptId: string;
  mac: string;
  keys: readonly string[];
}): boolean {
  if (!wellFormed.test(attemptId)) return false;
  return keys.some((key) => isSame(mac, macOfAttempt({ provider, attemptId, key })));
}

/** The attempt of a text that `signAttempt` made; undefined for any other. */
export function readSignedAttempt({
  provider,
  signed,
  keys,
}: {
  provider: ProviderName;
  signed: string | undefined;
  keys: readonly string[];
}): string | undefined {
  const [, attemptId = '', mac = ''] = /^([^:]+):([^:]+)$/.exec(signed ?? '') ?? [];
  return isMacOfAttempt({ provider, attemptId, mac, keys }) ? attemptId : undefined;
}
