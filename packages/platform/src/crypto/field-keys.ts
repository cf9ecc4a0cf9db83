import { createSecretKey, type KeyObject } from 'node:crypto';
import Type from 'typebox';
import { ConfigError } from '../config/config-error.ts';
import { readKeyEntries } from '../config/read-key-entries.ts';

/** Keys of what is encrypted field by field. As key objects they show nothing when printed. */
export interface FieldKeys {
  /** Encrypts from now on. */
  readonly current: string;
  /** By key id, the current one among them; the others still decrypt. */
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** Of the blind index alone. */
  readonly indexKey: KeyObject;
}

/** Variables of every process that reads or writes private fields. They are required everywhere: a key that a process made up would be gone with it. */
export const fieldKeyEnvironment = {
  /** JSON of key id to 256 random bits in base64. Two or more while one is rotated. */
  FIELD_KEYS: Type.String({
    secret: true,
    expects: 'a JSON object of key id to 32 random bytes in base64 (openssl rand -base64 32), {"2026-01": "…"}',
  }),
  /** Which of them encrypts. */
  FIELD_KEY_CURRENT: Type.String({
    pattern: '^[A-Za-z0-9_-]{1,64}$',
    expects: 'the id of the key in FIELD_KEYS that encrypts from now on',
  }),
  /** Makes private values findable without showing them. It does not rotate: what was indexed with another one is not found. */
  BLIND_INDEX_KEY: Type.String({ secret: true, expects: '32 random bytes in base64 (openssl rand -base64 32)' }),
};

type Values = Type.Static<Type.TObject<typeof fieldKeyEnvironment>>;

const keyBytes = 32;

/** @throws ConfigError with a sentence that names the variable, and the key where it is one of several; never the key's value */
export function toFieldKeys(env: Values): FieldKeys {
  const encoded = readKeyEntries(env.FIELD_KEYS, { ring: 'FIELD_KEYS', holds: `${keyBytes} bytes in base64` });
  const keys = new Map(encoded.map(([kid, text]) => [kid, readFieldKey(kid, text)]));
  if (!keys.has(env.FIELD_KEY_CURRENT)) {
    throw new ConfigError(
      `FIELD_KEY_CURRENT names ${env.FIELD_KEY_CURRENT}, which FIELD_KEYS does not have: add it there.`,
    );
  }
  const indexKey = toKey(env.BLIND_INDEX_KEY);
  if (indexKey === undefined) {
    throw new ConfigError(`BLIND_INDEX_KEY is not ${keyBytes} bytes in base64: replace it (openssl rand -base64 32).`);
  }
  for (const [kid, key] of keys) {
    if (key.equals(indexKey))
      throw new ConfigError(`BLIND_INDEX_KEY is key ${kid} of FIELD_KEYS: give it one of its own.`);
  }
  return { current: env.FIELD_KEY_CURRENT, keys, indexKey };
}

function readFieldKey(kid: string, text: unknown): KeyObject {
  const key = typeof text === 'string' ? toKey(text) : undefined;
  if (key === undefined) {
    throw new ConfigError(
      `Key ${kid} of FIELD_KEYS is not ${keyBytes} bytes in base64: replace it (openssl rand -base64 32).`,
    );
  }
  return key;
}

/** Node reads base64 leniently; a key that was cut or mistyped must not pass. */
function toKey(text: string): KeyObject | undefined {
  const bytes = Buffer.from(text, 'base64');
  const isExact = bytes.toString('base64') === text || bytes.toString('base64url') === text;
  return bytes.length === keyBytes && isExact ? createSecretKey(bytes) : undefined;
}
