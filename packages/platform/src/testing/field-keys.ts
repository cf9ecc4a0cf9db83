import { randomBytes } from 'node:crypto';
import { createBlindIndex } from '../crypto/blind-index.ts';
import { createFieldCipher } from '../crypto/field-cipher.ts';
import { toFieldKeys } from '../crypto/field-keys.ts';

/** Fresh keys as the services' variables, so that no key stands in the repository. */
export function createTestFieldKeys(kid = 'test') {
  return {
    FIELD_KEYS: JSON.stringify({ [kid]: randomBytes(32).toString('base64') }),
    FIELD_KEY_CURRENT: kid,
    BLIND_INDEX_KEY: randomBytes(32).toString('base64'),
  };
}

/** A cipher and a blind index with keys of one test. */
export function createTestCrypto() {
  const keys = toFieldKeys(createTestFieldKeys());
  return { cipher: createFieldCipher(keys), blindIndex: createBlindIndex(keys) };
}
