import { ConfigError } from './config-error.ts';

const keyIdFormat = /^[A-Za-z0-9_-]{1,64}$/;
const maxKeys = 16;

/**
 * Read a ring of keys, of which several overlap while one is rotated: a JSON object of key id to what the key is.
 *
 * @param ring as sentences name it, at their beginning
 * @param holds what each key has to be, in words: `public key in PEM`
 * @returns 1 to 16 keys by well-formed ids; the values are whatever stood there
 * @throws ConfigError with a sentence that shows no value
 */
export function readKeyEntries(json: string, { ring, holds }: { ring: string; holds: string }): [string, unknown][] {
  const entries = Object.entries(
    parseObject(json) ?? refuse(`${ring} is not a JSON object of key id to ${holds}: correct it.`),
  );
  if (entries.length === 0) refuse(`${ring} has no key: give it at least one ${holds}.`);
  if (entries.length > maxKeys)
    refuse(`${ring} has more than ${maxKeys} keys: remove those that nothing needs any more.`);
  if (!entries.every(([kid]) => keyIdFormat.test(kid))) {
    refuse(`${ring} has a key id that is not 1–64 of A–Z a–z 0–9 _ -: rename it.`);
  }
  return entries;
}

function parseObject(json: string): object | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    // The parser's message would quote the key.
    return undefined;
  }
}

function refuse(sentence: string): never {
  throw new ConfigError(sentence);
}
