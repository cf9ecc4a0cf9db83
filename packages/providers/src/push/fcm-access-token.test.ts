import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import type { VendorAnswer, VendorHttp } from '../http/vendor-http.ts';
import { failed, type SendFailure } from '../provider.ts';
import { createFcmAccessTokens } from './fcm-access-token.ts';

const account = {
  project_id: 'p',
  client_email: 'sender@p.test',
  private_key: generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ format: 'pem', type: 'pkcs8' })
    .toString(),
  token_uri: 'http://google.test/token',
};

/** Answers with these, one after another. */
function tokensFrom(answers: (Pick<VendorAnswer, 'status' | 'body'> | SendFailure)[], now: () => number = Date.now) {
  let asked = 0;
  const http: VendorHttp = {
    async post() {
      asked += 1;
      const answer = answers.shift() ?? { status: 500, body: '' };
      return 'kind' in answer ? answer : { kind: 'answered', headers: {}, ...answer };
    },
    close: async () => undefined,
  };
  return { tokens: createFcmAccessTokens({ account, http, now }), asked: () => asked };
}
const good = (value: string) => ({ status: 200, body: JSON.stringify({ access_token: value, expires_in: 3_599 }) });

t.test('all who ask share one request, and its token for an hour', async (t) => {
  let nowMs = 0;
  const { tokens, asked } = tokensFrom([good('one'), good('two')], () => nowMs);

  const together = await Promise.all([tokens.get(), tokens.get(), tokens.get()]);
  nowMs = 3_538_000;
  const later = await tokens.get();
  t.equal(asked(), 1);
  t.match(
    [...together, later],
    Array.from({ length: 4 }, () => ({ value: 'one' })),
  );

  nowMs = 3_540_000;
  t.match(await tokens.get(), { value: 'two' }, 'renewed a minute before it ends');
});

t.test('a token that was refused is asked for anew, once', async (t) => {
  const { tokens, asked } = tokensFrom([good('one'), good('two')]);
  const one = await tokens.get();
  if (one.kind === 'failed') throw new Error('no token');

  tokens.forget(one);
  const two = await tokens.get();
  tokens.forget(one);

  t.match(two, { value: 'two' });
  t.match(await tokens.get(), { value: 'two' }, 'an old one takes nothing new with it');
  t.equal(asked(), 2);
});

t.test('without a token nothing was sent, whatever the reason', async (t) => {
  const { tokens } = tokensFrom([
    { status: 400, body: JSON.stringify({ error: 'invalid_grant' }) },
    { status: 500, body: '' },
    { status: 200, body: '{}' },
    failed('retry', 'timeout', { isUnknown: true }),
    good('at last'),
  ]);

  t.match(await tokens.get(), {
    errorClass: 'next',
    reason: 'unauthorised',
    vendorCode: 'invalid_grant',
    isUnknown: false,
  });
  t.match(await tokens.get(), { errorClass: 'retry', reason: 'vendor-error', isUnknown: false });
  t.match(await tokens.get(), { errorClass: 'retry', reason: 'answer-malformed', isUnknown: false });
  t.match(await tokens.get(), { errorClass: 'retry', reason: 'timeout', isUnknown: false });
  t.match(await tokens.get(), { value: 'at last' }, 'a failure is not kept');
});
