import { createHmac } from 'node:crypto';
import type { FieldKeys } from './field-keys.ts';

/**
 * The same 43 characters for the same value, and nothing else to be learnt from them without the key.
 *
 * @param purpose where it stands (`devices.token`): the same value gives another index there, so that collections cannot be joined by it
 */
export type BlindIndex = (purpose: string, value: string) => string;

/**
 * Look-up and uniqueness of encrypted fields: HMAC-SHA-256 with a key of its own, which must not change while its results are stored.
 *
 * Whoever has the key can try out all phone numbers there are; it is as secret as the keys that encrypt.
 */
export function createBlindIndex({ indexKey }: Pick<FieldKeys, 'indexKey'>): BlindIndex {
  return (purpose, value) =>
    createHmac('sha256', indexKey)
      .update(JSON.stringify([purpose, value]))
      .digest('base64url');
}
