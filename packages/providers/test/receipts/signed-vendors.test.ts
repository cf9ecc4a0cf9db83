import { createHash, randomInt } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import twilio from 'twilio';
import { signForMailgun, verifyMailgun } from '../../src/receipts/mailgun-receipts.ts';
import type { Receipt, WebhookRequest } from '../../src/receipts/receipt.ts';
import { checkTwilioSignature } from '../../src/receipts/twilio-signature.ts';
import { nowMs, signedVendors, toRequest } from './signed-vendors.ts';

const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
t.comment(`fast-check seed ${seed}; SEED=${seed} repeats it`);

for (const vendor of signedVendors) {
  const { current, previous, wrong } = vendor.keys;
  const refusedAs = (request: WebhookRequest, keys: readonly string[] = [current]) => {
    const verdict = vendor.verify(request, keys);
    return verdict.kind === 'refused' ? verdict.reason : verdict.kind;
  };

  t.test(`${vendor.name}: what is genuine is taken, with either key while one is rotated`, async (t) => {
    const verdict = vendor.verify(vendor.make({ key: current }), [current]);

    t.match(verdict, { kind: 'verified', receipts: [{ status: 'delivered', attemptId: 'a-1' }] });
    t.match(vendor.verify(vendor.make({ key: previous }), [current, previous]), { kind: 'verified' });
    t.equal(refusedAs(vendor.make({ key: previous })), 'signature-wrong', 'once it is over, the old key is none');
  });

  t.test(`${vendor.name}: what is not is refused`, async (t) => {
    const genuine = vendor.make({ key: current });

    t.equal(refusedAs(vendor.make({ key: wrong })), 'signature-wrong', "a stranger's key");
    t.equal(refusedAs(genuine, []), 'signature-wrong', 'no key is set up');
    t.equal(refusedAs(vendor.withSignature(genuine, () => undefined)), 'signature-missing');
    t.equal(refusedAs(vendor.withSignature(genuine, (text) => text.slice(0, -3))), 'signature-wrong', 'truncated');
    t.equal(refusedAs(vendor.withSignature(genuine, () => 'ä')), 'signature-wrong', 'nonsense');
    const tampered = vendor.make({ key: current, tamper: (body) => body.replace('delivered', 'failed') });
    if (vendor.tampered === 'not covered') t.equal(refusedAs(tampered), 'verified', 'the vendor signs its token only');
    else t.equal(refusedAs(tampered), vendor.tampered);
  });

  if (vendor.hasTime) {
    t.test(`${vendor.name}: 300 s of age are taken, more are not, nor is a time to come`, async (t) => {
      const at = (seconds: number) =>
        refusedAs(vendor.make({ key: current, atSeconds: String(nowMs / 1000 + seconds) }));

      t.equal(at(-300), 'verified');
      t.equal(at(-301), 'stale');
      t.equal(at(301), 'stale');
      t.equal(refusedAs(vendor.make({ key: current, atSeconds: 'now' })), 'stale');
    });
  }

  if (vendor.tampered === 'not covered') continue;

  t.test(`${vendor.name}: no change of a genuine body passes, whatever it is`, async () => {
    const genuine = vendor.make({ key: current });
    const bytes = genuine.rawBody.length;
    fc.assert(
      fc.property(fc.nat(bytes - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const rawBody = Buffer.from(genuine.rawBody);
        rawBody[at] = rawBody[at]! ^ change;
        // In a form, `+` and `%20` are the same text and so the same signature.
        const isSameForm =
          new URLSearchParams(rawBody.toString()).toString() ===
          new URLSearchParams(genuine.rawBody.toString()).toString();
        return isSameForm || vendor.verify({ ...genuine, rawBody }, [current]).kind === 'refused';
      }),
      { seed, numRuns: 200 },
    );
  });
}

// Mailgun signs a time and a token, and nothing of what it says.
const mailgunKey = 'secret-of-today';
const mailgunToken = 'f'.repeat(50);
const mailgunSeconds = String(nowMs / 1000);

function fromMailgun({ timestamp = mailgunSeconds, token = mailgunToken, event = {}, signature = '' }) {
  const signed = signature || signForMailgun({ key: mailgunKey, timestamp, token });
  const data = { event: 'delivered', id: 'e1', message: { headers: { 'message-id': 'm1@x' } }, ...event };
  const body = { signature: { timestamp, token, signature: signed }, 'event-data': data };
  const request = toRequest('https://a.example/mailgun', {}, JSON.stringify(body));
  return verifyMailgun(request, { keys: [mailgunKey], nowMs });
}

const onlyReceipt = (verdict: ReturnType<typeof verifyMailgun>): Receipt | undefined =>
  verdict.kind === 'verified' ? verdict.receipts[0] : undefined;

t.test('Mailgun: whatever is said with a signature that was seen before is the same event', async (t) => {
  const told = onlyReceipt(fromMailgun({}));
  const forged = fc.record({
    event: fc.constantFrom('accepted', 'delivered', 'opened', 'failed', 'rejected'),
    id: fc.string(),
    timestamp: fc.double({ min: 0, max: 4e9, noNaN: true }),
    message: fc.record({ headers: fc.record({ 'message-id': fc.string({ minLength: 1 }) }) }),
    'user-variables': fc.record({ attempt_id: fc.string() }),
  });

  fc.assert(
    fc.property(forged, (event) => onlyReceipt(fromMailgun({ event }))?.eventId === told?.eventId),
    { seed },
  );
  t.match(
    onlyReceipt(fromMailgun({ event: { event: 'failed' } })),
    { status: 'failed' },
    'it is the body that is told',
  );
  const other = onlyReceipt(fromMailgun({ token: 'e'.repeat(50) }));
  t.not(other?.eventId, told?.eventId, 'another token is another event, whatever its id');
});

t.test('Mailgun: neither time nor token is changed under a signature', async (t) => {
  const signature = signForMailgun({ key: mailgunKey, timestamp: mailgunSeconds, token: mailgunToken });
  const later = String(Number(mailgunSeconds) + 1);
  t.match(fromMailgun({ timestamp: later, signature }), { kind: 'refused', reason: 'signature-wrong' });
  t.match(fromMailgun({ token: `${mailgunToken}0`, signature }), { kind: 'refused', reason: 'signature-wrong' });

  // `…e0` is the same number, and the text that is signed is the same too: only the token is not.
  const token = `e0${'f'.repeat(48)}`;
  const genuine = onlyReceipt(fromMailgun({ token }));
  const moved = { timestamp: `${mailgunSeconds}e0`, token: 'f'.repeat(48) };
  t.ok(genuine);
  t.equal(onlyReceipt(fromMailgun(moved))?.eventId, genuine?.eventId, 'where the time ends makes no other event');
});

t.test("Twilio: our signature is Twilio's own, whatever the parameters", async () => {
  const parameters = fc.dictionary(
    fc.string({ minLength: 1 }),
    fc.oneof(fc.string(), fc.array(fc.string(), { minLength: 2, maxLength: 4 })),
  );
  fc.assert(
    fc.property(parameters, fc.webUrl({ validSchemes: ['https'], withQueryParameters: true }), (fields, url) => {
      const form = new URLSearchParams();
      for (const [name, value] of Object.entries(fields)) for (const item of [value].flat()) form.append(name, item);
      // A form cannot hold half a character, so what Twilio signs cannot either.
      const sent = Object.fromEntries(
        [...new Set(form.keys())].map((name) => [
          name,
          form.getAll(name).length > 1 ? form.getAll(name) : form.get(name),
        ]),
      );
      const signature = twilio.getExpectedTwilioSignature('token', url, sent);
      return (
        checkTwilioSignature(toRequest(url, { 'x-twilio-signature': signature }, form.toString()), ['token']) ===
        undefined
      );
    }),
    { seed, numRuns: 300 },
  );
});

t.test('Twilio: a port that only one side sees changes nothing', async (t) => {
  const signed = (url: string) => ({
    'x-twilio-signature': twilio.getExpectedTwilioSignature('token', url, { A: '1' }),
  });

  t.equal(
    checkTwilioSignature(toRequest('https://a.example/x', signed('https://a.example:443/x'), 'A=1'), ['token']),
    undefined,
  );
  t.equal(
    checkTwilioSignature(toRequest('https://a.example:8443/x', signed('https://a.example/x'), 'A=1'), ['token']),
    undefined,
  );
});

t.test('Twilio: a JSON body is signed by its hash in the query', async (t) => {
  const body = JSON.stringify({ status: 'delivered' });
  const url = `https://a.example/x?bodySHA256=${createHash('sha256').update(body).digest('hex')}`;
  const headers = { 'x-twilio-signature': twilio.getExpectedTwilioSignature('token', url, {}) };

  t.equal(checkTwilioSignature(toRequest(url, headers, body), ['token']), undefined);
  t.equal(checkTwilioSignature(toRequest(url, headers, `${body} `), ['token']), 'signature-wrong');
});
