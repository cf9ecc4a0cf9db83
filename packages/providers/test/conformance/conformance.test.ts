import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor, within } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import type { ProviderName, SendContext, SendFailure } from '../../src/provider.ts';
import { isProgress } from '../../src/receipts/receipt-progress.ts';
import { webhookAddress } from '../../src/receipts/webhook-addresses.ts';
import type { FaultMode } from '../../src/sandbox/fault-plan.ts';
import type { PlayedMessage } from '../../src/sandbox/message-store.ts';
import { startSandbox } from '../../src/sandbox/start-sandbox.ts';
import { startListener } from '../start-listener.ts';
import { failingModes, faultRecipient, openProviders, type ProviderCase, providerCases } from './provider-cases.ts';

/** Long enough for a busy machine; every wait ends earlier by an event. */
const withinMs = 20_000;
/** Of calls that are meant to run into it. */
const shortDeadlineMs = 700;

const listener = await startListener(t, { keys: () => providers.webhookKeys });
const sandbox = await startSandbox({ webhookBaseUrl: listener.baseUrl, receiptDelayMs: 5 });
const providers = openProviders(sandbox.environment);
t.teardown(async () => {
  await providers.close();
  await sandbox.close();
});

let attempts = 0;
function newContext(provider: ProviderName, more: Partial<SendContext> = {}): SendContext {
  attempts += 1;
  const attemptId = `alert-${provider}-${attempts}`;
  const key = sandbox.credentials.pathKey;
  const receiptUrl = webhookAddress({ baseUrl: listener.baseUrl, provider, attemptId, key });
  return { attemptId, receiptUrl, deadlineMs: 10_000, ...more };
}

/** Sends to a new person, to whom this happens. */
async function sendWith(one: ProviderCase, mode: FaultMode | undefined, more: Partial<SendContext> = {}) {
  const recipient = one.newRecipient();
  const context = newContext(one.name, more);
  if (mode !== undefined) {
    sandbox.faults.set({
      provider: one.name,
      mode,
      recipient: faultRecipient(one.name, recipient),
      // Whoever is refused a token may try once more with a new one.
      count: mode === 'auth' ? 2 : 1,
      retryAfterSeconds: 7,
    });
  }
  const outcome = await within(one.send(providers, recipient, context), {
    withinMs,
    what: `an outcome of ${one.name}`,
  });
  return { outcome, recipient, context };
}

const shown = (context: SendContext): PlayedMessage | undefined =>
  sandbox.messages.list({ attemptId: context.attemptId }).find((message) => message.isShown);
const receiptsOf = (context: SendContext) =>
  listener.receipts.filter((receipt) => receipt.attemptId === context.attemptId);

/** Takes the call, where it is one, so that all its receipts come. */
async function takeCall(context: SendContext): Promise<void> {
  const message = shown(context);
  if (message?.call !== undefined) await sandbox.phones.answer(message.id, '1');
}

for (const one of providerCases) {
  const isVoice = one.name === 'twilio-voice' || one.name === 'exotel';

  t.test(`${one.name}: what the vendor takes is accepted, with its id, and shown`, async (t) => {
    const { outcome, recipient, context } = await sendWith(one, undefined);

    const message = shown(context);
    t.match(outcome, { kind: 'accepted' });
    t.ok(message, 'the phone shows it');
    t.equal(message?.recipient, faultRecipient(one.name, recipient));
    if (one.name !== 'pagerduty') t.match(outcome, { providerMessageId: message?.id });
    else t.match(outcome, { providerMessageId: recipient });
  });

  t.test(`${one.name}: the vendor is told under which id it is found in our logs`, async (t) => {
    const correlationId = `request-${one.name}`;
    const { outcome, context } = await sendWith(one, undefined, { correlationId });
    t.match(outcome, { kind: 'accepted' });
    t.equal(shown(context)?.correlationId, correlationId);

    const unknown = await sendWith(one, undefined);
    t.equal(shown(unknown.context)?.correlationId, undefined, 'nobody makes one up');
    const odd = await sendWith(one, undefined, { correlationId: 'no\r\nheader: of ours' });
    t.match(odd.outcome, { kind: 'accepted' }, 'what could be none keeps no message');
    t.equal(shown(odd.context)?.correlationId, undefined);
  });

  t.test(`${one.name}: wrong credentials are for the next provider`, async (t) => {
    const strangers = openProviders({ ...sandbox.environment, ...one.wrongCredentials(sandbox.environment) });
    t.teardown(() => strangers.close());

    const outcome = await one.send(strangers, one.newRecipient(), newContext(one.name));

    t.match(outcome, { kind: 'failed', errorClass: 'next', isUnknown: false });
    const { outcome: refused } = await sendWith(one, 'auth');
    t.match(refused, { kind: 'failed', errorClass: 'next', isUnknown: false });
  });

  for (const { mode, reason, isUnknown } of failingModes) {
    t.test(`${one.name}: ${mode} may be tried again`, async (t) => {
      // SendGrid's id comes with the head; an answer that is not at its end is late all the same.
      const { outcome, recipient } = await sendWith(
        one,
        mode,
        ['hang', 'slow-drip'].includes(mode) ? { deadlineMs: shortDeadlineMs } : {},
      );

      t.match(outcome, { kind: 'failed', errorClass: 'retry', reason, isUnknown });
      if (mode === '429') {
        const { httpStatus, retryAfterMs = 0 } = outcome as SendFailure;
        t.equal(httpStatus, 429);
        // SendGrid tells the end of the pause in whole seconds, so some of it may have passed.
        t.ok(retryAfterMs > 0 && retryAfterMs <= 7_000, `${retryAfterMs} ms are asked for`);
        if (one.name !== 'sendgrid') t.equal(retryAfterMs, 7_000);
      }
      t.notOk(JSON.stringify(outcome).includes(recipient), 'no failure names whom it was for');
      if (mode === '500') t.match(outcome, { httpStatus: 500 });
    });
  }

  t.test(`${one.name}: an error in a 200 is never taken for success`, async (t) => {
    const { outcome } = await sendWith(one, 'error-in-200');

    t.match(outcome, { kind: 'failed', ...one.errorIn200 });
  });

  t.test(`${one.name}: whoever waits no longer hears at once, and that the outcome is unknown`, async (t) => {
    const giveUp = new AbortController();
    const sending = sendWith(one, 'hang', { signal: giveUp.signal, deadlineMs: 60_000 });
    await waitFor(() => (sandbox.stats().providers[one.name]?.faults.hang ?? 0) >= 2, {
      withinMs,
      what: 'the hung call',
    });
    giveUp.abort();

    const { outcome } = await sending;

    t.match(outcome, { kind: 'failed', errorClass: 'retry', reason: 'aborted', isUnknown: true });
  });

  t.test(`${one.name}: nothing was sent where nobody listens`, async (t) => {
    const nobody = openProviders(
      Object.fromEntries(
        Object.entries(sandbox.environment).map(([name, value]) => [
          name,
          value.replaceAll(sandbox.url, 'http://127.0.0.1:9'),
        ]),
      ),
    );
    t.teardown(() => nobody.close());

    const outcome = await one.send(nobody, one.newRecipient(), newContext(one.name));

    t.match(outcome, { kind: 'failed', errorClass: 'retry', reason: 'network', isUnknown: false });
  });

  if (one.wrongRecipient !== '') {
    t.test(`${one.name}: a wrong recipient is given up`, async (t) => {
      const outcome = await one.send(providers, one.wrongRecipient, newContext(one.name));

      t.match(outcome, { kind: 'failed', errorClass: 'give-up', isUnknown: false });
      t.notMatch(JSON.stringify(outcome), one.wrongRecipient, 'and the failure does not name them');
    });
  }

  if (one.receipts.length === 0) continue;

  t.test(`${one.name}: receipts are genuine and tell the same in the same words`, async (t) => {
    const { outcome, context } = await sendWith(one, undefined);
    await takeCall(context);
    const last = one.receipts.at(-1);
    await listener.waitFor((receipt) => receipt.attemptId === context.attemptId && receipt.status === last, {
      withinMs,
      what: `the receipt ${last}`,
    });

    const told = receiptsOf(context);

    t.same(
      told.filter(({ digits }) => digits === undefined).map(({ status }) => status),
      one.receipts,
    );
    for (const receipt of told) {
      t.match(outcome, { providerMessageId: receipt.providerMessageId });
      t.equal(receipt.provider, one.name);
      t.ok(Math.abs(receipt.atMs - Date.now()) < 60_000, 'told in epoch milliseconds');
    }
    if (isVoice)
      t.match(
        told.find(({ digits }) => digits !== undefined),
        { status: 'answered', digits: '1' },
      );
    if (isVoice) t.match(shown(context)?.call, { state: 'completed', digits: ['1'], said: [/SOS|Press 1/] });
  });

  if (isVoice) {
    t.test(`${one.name}: another key is asked for again, in the same call`, async (t) => {
      const { context } = await sendWith(one, undefined);
      const call = shown(context);
      const id = call?.id ?? '';
      await sandbox.phones.answer(id, '9');
      t.match(call?.call, { state: 'answered', canPress: true, said: [/SOS|Press 1/, /Press 1/] });
      await sandbox.phones.press(id, '9');
      t.equal(call?.call?.canPress, true);

      await sandbox.phones.press(id, '1');

      t.match(call?.call, { state: 'completed', digits: ['9', '9', '1'] });
      const pressed = receiptsOf(context).filter(({ digits }) => digits !== undefined);
      t.same(
        pressed.map(({ digits }) => digits),
        ['9', '9', '1'],
      );
      // Exotel says nothing by which the same key in the same call could be told from a repetition.
      t.equal(new Set(pressed.map(({ eventId }) => eventId)).size, one.name === 'exotel' ? 2 : 3);
    });
  }

  t.test(`${one.name}: a receipt that comes twice is one event`, async (t) => {
    const { context } = await sendWith(one, 'duplicate');
    await takeCall(context);
    const last = one.receipts.at(-1);
    await waitFor(() => receiptsOf(context).filter(({ status }) => status === last).length === 2, {
      withinMs,
      what: 'the last receipt, twice',
    });

    const told = receiptsOf(context).filter(({ digits }) => digits === undefined);

    t.equal(told.length, one.receipts.length * 2);
    t.equal(new Set(told.map(({ eventId }) => eventId)).size, one.receipts.length);
  });

  t.test(`${one.name}: receipts out of order do not lead back`, async (t) => {
    const { context } = await sendWith(one, 'reordered');
    await takeCall(context);
    const expected = one.receipts.length;
    await waitFor(() => receiptsOf(context).filter(({ digits }) => digits === undefined).length === expected, {
      withinMs,
      what: 'every receipt',
    });

    let current: Parameters<typeof isProgress>[0];
    for (const { status } of receiptsOf(context)) if (isProgress(current, status)) current = status;

    t.equal(current, one.receipts.at(-1));
  });

  t.test(`${one.name}: what could not be delivered is told as failed, with what to do next`, async (t) => {
    const { outcome, context } = await sendWith(one, 'undelivered');

    t.match(outcome, { kind: 'accepted' });
    t.notOk(shown(context), 'no phone shows it');
    const receipt = await listener.waitFor(
      ({ attemptId, status }) => attemptId === context.attemptId && status === 'failed',
      { withinMs, what: 'the receipt of the failure' },
    );
    t.match(receipt, { errorClass: /^(?:next|give-up)$/ });
  });

  t.test(`${one.name}: a vendor that lies says delivered, and no phone shows it`, async (t) => {
    const { outcome, context } = await sendWith(one, 'lying');

    t.match(outcome, { kind: 'accepted' });
    await listener.waitFor(
      ({ attemptId, status }) => attemptId === context.attemptId && status === one.receipts.at(-1),
      { withinMs, what: 'the lie' },
    );
    t.notOk(shown(context));
  });

  t.test(`${one.name}: silence after acceptance is silence`, async (t) => {
    const silent = await sendWith(one, 'accepted-then-silent');
    await takeCall(silent.context);
    // What was sent later has told everything: receipts of the silent one would have come before.
    const later = await sendWith(one, undefined);
    await takeCall(later.context);
    await listener.waitFor(
      ({ attemptId, status }) => attemptId === later.context.attemptId && status === one.receipts.at(-1),
      { withinMs, what: 'the receipts of the later one' },
    );
    await sleep(50);

    t.match(silent.outcome, { kind: 'accepted' });
    t.ok(shown(silent.context));
    t.same(
      receiptsOf(silent.context).filter(({ digits }) => digits === undefined),
      [],
    );
  });
}

t.test('Twilio: how often a key was asked for goes with the call, and in its language', async (t) => {
  const context = newContext('twilio-voice');
  const gather = { digitsUrl: `${context.receiptUrl}/digits`, maxDigits: 1 };
  const [voice] = providers.voice;
  await voice?.send({ to: '+919811112222', sayText: 'SOS', language: 'hi-IN', gather }, context);
  const call = shown(context);
  await sandbox.phones.answer(call?.id ?? '');

  for (const key of ['7', '8', '9']) await sandbox.phones.press(call?.id ?? '', key);

  t.match(call?.call, { state: 'completed', said: ['SOS', 'Press 1 & no other', 'Press 1 & no other', 'Goodbye.'] });
  const asked = listener.heard.flatMap(({ verdict }) =>
    verdict.kind === 'verified' && verdict.receipts[0]?.attemptId === context.attemptId ? (verdict.pressed ?? []) : [],
  );
  t.match(
    asked,
    [1, 2, 3].map((timesAsked) => ({ timesAsked, language: 'hi-IN' })),
  );
});

t.test('nothing that came was refused', async (t) => {
  t.same(
    listener.heard.filter(({ verdict }) => verdict.kind === 'refused').map(({ provider }) => provider),
    [],
  );
});
