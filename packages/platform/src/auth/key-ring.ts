import { createPublicKey } from 'node:crypto';
import { ConfigError } from '../config/config-error.ts';

/** Public keys by key id; the values are PEM (SPKI). */
export type KeyRing = ReadonlyMap<string, string>;

const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;
const MAX_KEYS = 16;

/**
 * Read the ring of public keys: a JSON object of key id to Ed25519 public key in PEM. Two keys or more overlap while one is rotated.
 *
 * @throws ConfigError naming the entry; a private key in it is refused, so that it cannot be handed round by mistake
 */
export function parseKeyRing(json: string): KeyRing {
  const entries = Object.entries(parseObject(json));
  if (entries.length === 0) throw new ConfigError('The key ring is empty: give it at least one Ed25519 public key.');
  if (entries.length > MAX_KEYS) throw new ConfigError(`The key ring has more than ${MAX_KEYS} keys: remove old ones.`);
  return new Map(entries.map(([kid, pem]) => [kid, checkKey(kid, pem)]));
}

function parseObject(json: string): object {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    value = undefined; // The parser's message would quote the key.
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConfigError('The key ring is not a JSON object of key id to public key in PEM: correct it.');
  }
  return value;
}

function checkKey(kid: string, pem: unknown): string {
  if (!KEY_ID.test(kid)) throw new ConfigError('A key id in the key ring is not 1–64 of A–Z a–z 0–9 _ -: rename it.');
  if (typeof pem !== 'string' || !pem.trimStart().startsWith('-----BEGIN PUBLIC KEY-----')) {
    throw new ConfigError(`Key ${kid} of the key ring is not a public key in PEM: replace it.`);
  }
  let type: string | undefined;
  try {
    type = createPublicKey(pem).asymmetricKeyType;
  } catch {
    type = undefined;
  }
  if (type !== 'ed25519') throw new ConfigError(`Key ${kid} of the key ring is not an Ed25519 key: replace it.`);
  return pem;
}
