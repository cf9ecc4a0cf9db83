import { createPublicKey } from 'node:crypto';
import { ConfigError } from '../config/config-error.ts';
import { readKeyEntries } from '../config/read-key-entries.ts';

/** Public keys by key id; the values are PEM (SPKI). */
export type KeyRing = ReadonlyMap<string, string>;

/**
 * Read the ring of public keys: a JSON object of key id to Ed25519 public key in PEM. Two keys or more overlap while one is rotated.
 *
 * @throws ConfigError naming the entry; a private key in it is refused, so that it cannot be handed round by mistake
 */
export function parseKeyRing(json: string): KeyRing {
  const entries = readKeyEntries(json, { ring: 'The key ring', holds: 'Ed25519 public key in PEM' });
  return new Map(entries.map(([kid, pem]) => [kid, checkKey(kid, pem)]));
}

function checkKey(kid: string, pem: unknown): string {
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
