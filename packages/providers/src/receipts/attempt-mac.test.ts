import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { isMacOfAttempt, macOfAttempt, readSignedAttempt, signAttempt } from './attempt-mac.ts';
import { accountAttempt, readWebhookAddress, webhookAddress } from './webhook-addresses.ts';

const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
t.comment(`fast-check seed ${seed}; SEED=${seed} repeats it`);

const key = 'the key of today, not very random';
const previous = 'the key of yesterday, neither any';
const attempt = { provider: 'exotel', attemptId: 'alert-contact-voice-1' } as const;
const baseUrl = 'https://api.example/v1/webhooks';
const attemptIds = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$/);

t.test('an address names its attempt, whatever the attempt, purpose and query', async (t) => {
  fc.assert(
    fc.property(
      attemptIds,
      fc.constantFrom('receipts', 'digits', 'prompt'),
      fc.webQueryParameters(),
      (id, purpose, query) => {
        const url = webhookAddress({ baseUrl, provider: 'exotel', attemptId: id, key, purpose });
        return readWebhookAddress({ url: `${url}?${query}`, provider: 'exotel', keys: [key] }) === id;
      },
    ),
    { seed },
  );
  const named = webhookAddress({
    baseUrl: 'https://exotel.example/exotel',
    provider: 'exotel',
    attemptId: 'exotel',
    key,
  });
  t.equal(readWebhookAddress({ url: named, provider: 'exotel', keys: [key] }), 'exotel', 'whatever bears its name');
  t.equal(
    readWebhookAddress({
      url: webhookAddress({ baseUrl, ...attempt, attemptId: accountAttempt, key }),
      provider: 'exotel',
      keys: [key],
    }),
    'account',
  );
});

t.test('a signed attempt reads back, and no other text does', async (t) => {
  fc.assert(
    fc.property(attemptIds, (attemptId) => {
      const signed = signAttempt({ provider: 'msg91', attemptId, key });
      return readSignedAttempt({ provider: 'msg91', signed, keys: [key] }) === attemptId;
    }),
    { seed },
  );
  fc.assert(
    fc.property(fc.string(), (signed) => readSignedAttempt({ provider: 'msg91', signed, keys: [key] }) === undefined),
    { seed },
  );
  t.equal(readSignedAttempt({ provider: 'msg91', signed: undefined, keys: [key] }), undefined);
});

t.test('one changed character, anywhere, is refused', async (t) => {
  const mac = macOfAttempt({ ...attempt, key });
  fc.assert(
    fc.property(fc.nat(mac.length - 1), fc.constantFrom('A', 'b', '-', '0'), (at, other) => {
      const changed = `${mac.slice(0, at)}${other}${mac.slice(at + 1)}`;
      return changed === mac || !isMacOfAttempt({ ...attempt, mac: changed, keys: [key] });
    }),
    { seed },
  );
  t.notOk(isMacOfAttempt({ ...attempt, mac: mac.slice(0, -1), keys: [key] }), 'truncated');
  t.notOk(isMacOfAttempt({ ...attempt, mac: '', keys: [key] }), 'missing');
  t.notOk(isMacOfAttempt({ ...attempt, attemptId: 'alert-contact-voice-2', mac, keys: [key] }), 'of another attempt');
  t.notOk(isMacOfAttempt({ ...attempt, provider: 'msg91', mac, keys: [key] }), 'of another provider');
  t.notOk(isMacOfAttempt({ ...attempt, mac, keys: ['another key'] }), 'of another key');
  t.notOk(isMacOfAttempt({ ...attempt, mac, keys: [] }), 'without a key nothing is genuine');
});

t.test('the key before holds while it is rotated, and no longer', async (t) => {
  const mac = macOfAttempt({ ...attempt, key: previous });

  t.ok(isMacOfAttempt({ ...attempt, mac, keys: [key, previous] }));
  t.notOk(isMacOfAttempt({ ...attempt, mac, keys: [key] }));
});

t.test('an id that would change an address is refused', async (t) => {
  for (const attemptId of ['', '..', '.', 'a/b', 'a b', 'a:b', 'ä', 'a'.repeat(129)]) {
    t.throws(() => macOfAttempt({ provider: 'exotel', attemptId, key }), RangeError, attemptId);
  }
});
