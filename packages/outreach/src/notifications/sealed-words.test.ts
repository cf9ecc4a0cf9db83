import { createTestCrypto } from '@hushryd/platform/testing/field-keys';
import t from 'tap';
import { openWords, sealWords } from './sealed-words.ts';

t.test('address and variables are read again in their own record, and in no other', async (t) => {
  const { cipher } = createTestCrypto();
  const personal = { to: '+919876543210', variables: { person: 'आशा' } };
  const sealed = sealWords(cipher, 'record', personal);
  const record = { _id: 'record', template: 'ride_ended', locale: 'hi', sealed } as const;

  t.same(openWords(cipher, record), { template: 'ride_ended', locale: 'hi', ...personal });
  t.throws(() => openWords(cipher, { ...record, _id: 'another' }), { code: 'internal' });
});
