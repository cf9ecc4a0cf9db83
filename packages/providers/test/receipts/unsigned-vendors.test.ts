import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { signAttempt } from '../../src/receipts/attempt-mac.ts';
import { toExotelPrompt, verifyExotel } from '../../src/receipts/exotel-receipts.ts';
import { verifyMsg91 } from '../../src/receipts/msg91-receipts.ts';
import { isProgress } from '../../src/receipts/receipt-progress.ts';
import { webhookAddress } from '../../src/receipts/webhook-addresses.ts';
import { answerMetaChallenge } from '../../src/receipts/whatsapp-receipts.ts';
import { nowMs, toRequest } from './signed-vendors.ts';

const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
t.comment(`fast-check seed ${seed}; SEED=${seed} repeats it`);

const baseUrl = 'https://api.example/v1/webhooks';
const pathKey = 'a path key of at least 32 characters';

t.test('MSG91: the address proves it, CRQID says whose it is', async (t) => {
  const url = webhookAddress({ baseUrl, provider: 'msg91', attemptId: 'account', key: pathKey });
  const signed = signAttempt({ provider: 'msg91', attemptId: 'a-1', key: pathKey });
  const report = (CRQID: string) => ({
    date: '2026-03-01 13:30:00',
    number: '919800000000',
    status: '1',
    desc: 'DELIVERED',
    CRQID,
  });
  const old = (CRQID: string) =>
    toRequest(
      url,
      {},
      new URLSearchParams({ data: JSON.stringify([{ requestId: 'r1', report: [report(CRQID)] }]) }).toString(),
    );
  const options = { keys: [pathKey], nowMs };

  t.same(verifyMsg91(old(signed), options), {
    kind: 'verified',
    receipts: [
      {
        provider: 'msg91',
        providerMessageId: 'r1',
        attemptId: 'a-1',
        status: 'delivered',
        atMs: nowMs,
        eventId: 'r1:1',
      },
    ],
  });
  const flat = toRequest(url, {}, JSON.stringify({ requestId: 'r1', ...report(signed) }));
  t.same(verifyMsg91(flat, options), verifyMsg91(old(signed), options), 'version 3 tells the same');
  t.notMatch(verifyMsg91(old('a-1:forged'), options), { receipts: [{ attemptId: 'a-1' }] });
  t.match(
    verifyMsg91(old('a-1:forged'), options),
    { receipts: [{ providerMessageId: 'r1' }] },
    'but the report is true',
  );
  t.match(verifyMsg91({ ...old(signed), url: `${url.slice(0, -1)}A` }, options), {
    kind: 'refused',
    reason: 'signature-wrong',
  });
  t.match(verifyMsg91(toRequest(url, {}, 'no report'), options), { kind: 'refused', reason: 'malformed' });
  t.match(verifyMsg91(old(signed), { keys: ['a new key', pathKey], nowMs }), { kind: 'verified' });
});

t.test('Exotel: a form of several parts, a plain form and JSON tell the same', async (t) => {
  const url = webhookAddress({ baseUrl, provider: 'exotel', attemptId: 'a-1', key: pathKey });
  const fields = { CallSid: 'c1', EventType: 'terminal', Status: 'no-answer', DateUpdated: '2026-03-01 13:30:00' };
  const parts = Object.entries(fields).map(
    ([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const requests = [
    toRequest(url, { 'content-type': 'multipart/form-data; boundary=b' }, `${parts.join('')}--b--\r\n`),
    toRequest(url, { 'content-type': 'application/x-www-form-urlencoded' }, new URLSearchParams(fields).toString()),
    toRequest(url, { 'content-type': 'application/json' }, JSON.stringify(fields)),
  ];

  for (const request of requests) {
    t.same(verifyExotel(request, { keys: [pathKey], nowMs }), {
      kind: 'verified',
      receipts: [
        {
          provider: 'exotel',
          providerMessageId: 'c1',
          attemptId: 'a-1',
          status: 'no-answer',
          atMs: nowMs,
          eventId: 'c1:no-answer',
        },
      ],
    });
    t.match(verifyExotel({ ...request, url: url.replace('a-1', 'a-2') }, { keys: [pathKey], nowMs }), {
      kind: 'refused',
    });
  }
});

t.test('Exotel: keys that a flow passes on count only with a genuine CustomField', async (t) => {
  const url = webhookAddress({ baseUrl, provider: 'exotel', attemptId: 'account', key: pathKey, purpose: 'digits' });
  const ask = (CustomField: string) =>
    verifyExotel(
      {
        method: 'GET',
        url: `${url}?${new URLSearchParams({ CallSid: 'c1', CustomField, digits: '"1"' })}`,
        headers: {},
        rawBody: Buffer.alloc(0),
      },
      { keys: [pathKey], nowMs },
    );

  t.match(ask(signAttempt({ provider: 'exotel', attemptId: 'a-1', key: pathKey })), {
    kind: 'verified',
    receipts: [{ status: 'answered', attemptId: 'a-1', digits: '1', eventId: 'c1:digits:1' }],
  });
  t.match(ask('a-1:forged'), { kind: 'refused', reason: 'signature-wrong' });
  t.match(JSON.parse(toExotelPrompt({ sayText: 'Hello', maxDigits: 1 }).body), {
    gather_prompt: { text: 'Hello' },
    max_input_digits: 1,
  });
});

t.test("Meta's handshake is answered to who knows the token", async (t) => {
  const ask = (token: string) =>
    answerMetaChallenge(`${baseUrl}/whatsapp-cloud?hub.mode=subscribe&hub.verify_token=${token}&hub.challenge=42`, [
      'known',
    ]);

  t.equal(ask('known'), '42');
  t.equal(ask('unknown'), undefined);
});

t.test('receipts never lead back, in whatever order they come', async (t) => {
  const way = ['accepted', 'sent', 'delivered', 'read'] as const;
  fc.assert(
    fc.property(fc.shuffledSubarray([...way, ...way], { minLength: 8 }), (told) => {
      let current: (typeof way)[number] | undefined;
      for (const status of told) if (isProgress(current, status)) current = status;
      return current === 'read';
    }),
    { seed },
  );
  t.notOk(isProgress('delivered', 'failed'), 'the first of two ends holds');
  t.notOk(isProgress('delivered', 'sent'));
  t.ok(isProgress('failed', 'read'), 'what was read was delivered');
});
