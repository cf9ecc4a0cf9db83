import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { createTestFieldKeys } from '../testing/field-keys.ts';
import { createBlindIndex } from './blind-index.ts';
import { createFieldCipher, type FieldPlace } from './field-cipher.ts';
import { toFieldKeys } from './field-keys.ts';

const variables = createTestFieldKeys('first');
const keys = toFieldKeys(variables);
const cipher = createFieldCipher(keys);
const place: FieldPlace = { collection: 'people', id: 'rita', field: 'phone' };
const anyPlace = fc.record({ collection: fc.string(), id: fc.string(), field: fc.string() });

t.test('any text comes back, at its own place alone', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), anyPlace, anyPlace, (text, own, other) => {
      const sealed = cipher.encrypt(text, own);
      const isElsewhere = JSON.stringify(own) !== JSON.stringify(other);
      return (
        cipher.decrypt(sealed, own) === text &&
        (text.length < 4 || !sealed.includes(text)) &&
        (!isElsewhere || refuses(() => cipher.decrypt(sealed, other)))
      );
    }),
  );

  const sealed = cipher.encrypt('+351910000001', place);
  for (const elsewhere of [{ collection: 'others' }, { id: 'rosa' }, { field: 'email' }]) {
    t.throws(() => cipher.decrypt(sealed, { ...place, ...elsewhere }), { code: 'internal', retryable: false });
  }
  const shifted = cipher.encrypt('x', { collection: 'a', id: 'b,c', field: 'd' });
  t.throws(() => cipher.decrypt(shifted, { collection: 'a,b', id: 'c', field: 'd' }), { code: 'internal' });
});

t.test('a sealed text that was changed anywhere is refused, and the error quotes nothing of it', async (t) => {
  const secret = 'Guadalupe Unmistakable';
  const sealed = cipher.encrypt(secret, place);
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
      const changed = sealed.slice(0, at) + character + sealed.slice(at + 1);
      // The last characters of base64 may hold spare bits: what means the same bytes is the same text.
      const isSame = Buffer.from(changed.split('.')[1] ?? '', 'base64url').equals(
        Buffer.from(sealed.split('.')[1] ?? '', 'base64url'),
      );
      return (isSame && changed.startsWith('first.')) || refuses(() => cipher.decrypt(changed, place));
    }),
    { numRuns: 500 },
  );
  for (const broken of ['', 'first.', sealed.slice(0, 40), sealed.slice(6), `${sealed}AAAA`, 'first.AAAA']) {
    t.throws(() => cipher.decrypt(broken, place), { code: 'internal' });
  }
  try {
    cipher.decrypt(`${sealed}AAAA`, place);
  } catch (error) {
    t.notMatch(inspect(error), /Unmistakable/);
    t.notMatch(inspect(error), new RegExp(sealed.slice(8, 30)));
  }
});

t.test('no nonce is used twice', async (t) => {
  const nonces = new Set<string>();
  const sealedTexts = new Set<string>();
  for (let n = 0; n < 20_000; n += 1) {
    const sealed = cipher.encrypt('the same text', place);
    sealedTexts.add(sealed);
    nonces.add(sealed.slice(6, 22));
  }
  t.equal(nonces.size, 20_000);
  t.equal(sealedTexts.size, 20_000);
});

t.test(
  'after a rotation the old key decrypts, the new one encrypts, and without the old one nothing of it is readable',
  async (t) => {
    const second = randomBytes(32).toString('base64');
    const both = { ...(JSON.parse(variables.FIELD_KEYS) as object), second };
    const rotating = createFieldCipher(
      toFieldKeys({ ...variables, FIELD_KEYS: JSON.stringify(both), FIELD_KEY_CURRENT: 'second' }),
    );
    const after = createFieldCipher(
      toFieldKeys({ ...variables, FIELD_KEYS: JSON.stringify({ second }), FIELD_KEY_CURRENT: 'second' }),
    );
    const old = cipher.encrypt('Rita', place);

    t.equal(rotating.decrypt(old, place), 'Rita');
    t.equal(rotating.isCurrent(old), false);
    t.throws(() => after.decrypt(old, place), { code: 'internal', detail: 'key first is not in FIELD_KEYS' });
    const renewed = rotating.reEncrypt(old, place);
    t.match(renewed, /^second\./);
    t.equal(rotating.reEncrypt(renewed, place), renewed, 'what is current stays');
    t.equal(after.decrypt(renewed, place), 'Rita');
    t.throws(() => rotating.reEncrypt(old, { ...place, id: 'rosa' }), { code: 'internal' });
  },
);

t.test('a blind index is the same for the same value, and only there', async (t) => {
  const index = createBlindIndex(keys);
  t.equal(index('devices.token', 'abc'), index('devices.token', 'abc'));
  t.match(index('devices.token', 'abc'), /^[A-Za-z0-9_-]{43}$/);
  t.not(index('devices.token', 'abc'), index('codes.target', 'abc'));
  t.not(index('a', 'bc'), index('ab', 'c'));
  t.not(index('devices.token', 'abc'), createBlindIndex(toFieldKeys(createTestFieldKeys()))('devices.token', 'abc'));
});

t.test('bad keys stop the start with a sentence that names the variable and shows no key', async (t) => {
  const short = randomBytes(16).toString('base64');
  const good = JSON.parse(variables.FIELD_KEYS) as Record<string, string>;
  const cases: [Partial<typeof variables>, RegExp][] = [
    [{ FIELD_KEYS: '{' }, /^FIELD_KEYS is not a JSON object/],
    [{ FIELD_KEYS: '[]' }, /^FIELD_KEYS is not a JSON object/],
    [{ FIELD_KEYS: '{}' }, /^FIELD_KEYS has no key/],
    [{ FIELD_KEYS: JSON.stringify({ first: short }) }, /^Key first of FIELD_KEYS is not 32 bytes in base64/],
    [{ FIELD_KEYS: JSON.stringify({ first: `${good.first} ` }) }, /^Key first of FIELD_KEYS is not 32 bytes/],
    [{ FIELD_KEYS: JSON.stringify({ 'a b': good.first }) }, /^FIELD_KEYS has a key id that is not 1–64/],
    [{ FIELD_KEY_CURRENT: 'third' }, /^FIELD_KEY_CURRENT names third, which FIELD_KEYS does not have/],
    [{ BLIND_INDEX_KEY: short }, /^BLIND_INDEX_KEY is not 32 bytes/],
    [{ BLIND_INDEX_KEY: good.first as string }, /^BLIND_INDEX_KEY is key first of FIELD_KEYS/],
  ];
  for (const [changes, message] of cases) {
    t.throws(() => toFieldKeys({ ...variables, ...changes }), { name: 'ConfigError', message });
    try {
      toFieldKeys({ ...variables, ...changes });
    } catch (error) {
      t.notMatch(String(error), new RegExp([short, good.first].join('|').replaceAll('+', '\\+')));
    }
  }
  t.notMatch(inspect(keys, { depth: 5 }), /[A-Za-z0-9+/]{40}/, 'printed, they show nothing');
});

function refuses(work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch {
    return true;
  }
}
