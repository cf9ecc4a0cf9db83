import type { ProviderName } from '@hushryd/providers/provider';
import t from 'tap';
import type { EntryTry, OutboxEntry } from '../alerts/alert-document.ts';
import { onLevel } from './find-recipients.ts';
import { awaitsMs, planEntry } from './plan-entry.ts';

const nowMs = Date.UTC(2026, 2, 1);
const settings = { triesPerProvider: 3, backoffMs: 500, backoffMaxMs: 4_000, longestPauseMs: 3_000 };
const sms: ProviderName[] = ['twilio-sms', 'msg91'];
const voice: ProviderName[] = ['twilio-voice', 'exotel'];

type Known = Pick<OutboxEntry, 'channel' | 'recipient' | 'tries'>;
const contact = { kind: 'contact', contactId: 'c' } as const;
const onCall = { kind: 'on_call', level: 1 } as const;

const tried = (provider: ProviderName, result: EntryTry['result']): EntryTry => ({
  number: '1-1',
  provider,
  result,
  endedAtMs: nowMs,
});
const plan = (entry: Known, providers: readonly ProviderName[], people = 1) =>
  planEntry({ entry, providers, people, settings, nowMs, random: () => 1 });
const smsWith = (...tries: EntryTry[]): Known => ({ channel: 'sms', recipient: contact, tries });
const callWith = (recipient: OutboxEntry['recipient'], ...tries: EntryTry[]): Known => ({
  channel: 'voice',
  recipient,
  tries,
});

t.test('providers are asked in turn, and a pause comes when all have failed', async (t) => {
  const tries: EntryTry[] = [];
  const asked: string[] = [];
  for (;;) {
    const next = plan(smsWith(...tries), sms);
    if (next.kind === 'end') {
      t.same(next, { kind: 'end', state: 'FAILED', reason: 'exhausted' });
      break;
    }
    asked.push(`${next.provider === 'msg91' ? 'B' : 'A'}${next.inMs}`);
    tries.push(tried(next.provider, 'retry'));
  }
  t.same(asked, ['A0', 'B0', 'A500', 'B0', 'A1000', 'B0']);
});

t.test('silence is the next company’s turn, and nobody’s second', async (t) => {
  t.match(plan(smsWith(tried('twilio-sms', 'accepted')), sms), { kind: 'send', provider: 'msg91' });
  t.same(plan(smsWith(tried('twilio-sms', 'accepted'), tried('msg91', 'accepted')), sms), {
    kind: 'end',
    state: 'ACCEPTED',
  });
  t.same(plan(smsWith(tried('whatsapp-cloud', 'accepted')), ['whatsapp-cloud']), { kind: 'end', state: 'ACCEPTED' });
});

t.test('no single company is believed that a person cannot be reached', async (t) => {
  t.match(plan(smsWith(tried('twilio-sms', 'give-up')), sms), { kind: 'send', provider: 'msg91' });
  t.match(plan(smsWith(tried('twilio-sms', 'give-up'), tried('msg91', 'next')), sms), {
    state: 'FAILED',
    reason: 'exhausted',
  });
  t.match(plan(smsWith(), []), { state: 'FAILED', reason: 'no-provider' });
});

t.test('a call that rang has ended; on call the next person is called', async (t) => {
  const rang = tried('twilio-voice', 'unanswered');
  t.match(plan(callWith(contact, rang), voice), { kind: 'end', state: 'FAILED', reason: 'not-answered' });
  t.match(plan(callWith(onCall, rang), voice, 2), { kind: 'send', provider: 'twilio-voice', personIndex: 1 });
  t.match(plan(callWith(onCall, tried('twilio-voice', 'accepted')), voice, 2), { personIndex: 1 });
  t.match(plan(callWith(onCall, rang, tried('twilio-voice', 'retry')), voice, 2), {
    provider: 'exotel',
    personIndex: 1,
  });
  t.match(plan(callWith(onCall, rang, rang), voice, 2), { kind: 'end', reason: 'not-answered' });
});

t.test('of several who share a text, whoever has it asks for no other, and keeps it from nobody', async (t) => {
  const textWith = (...tries: EntryTry[]): Known => ({ channel: 'sms', recipient: onCall, tries });
  const [arrived, taken] = [tried('twilio-sms', 'arrived'), tried('twilio-sms', 'accepted')];
  t.same(plan(textWith(arrived, arrived), sms, 2), { kind: 'end', state: 'ACCEPTED' });
  t.match(plan(textWith(arrived, taken), sms, 2), { kind: 'send', provider: 'msg91' });
  t.match(plan(textWith(arrived), sms, 2), { kind: 'send', provider: 'twilio-sms' }, 'of the other nothing is known');
  const failed = [tried('twilio-sms', 'give-up'), tried('msg91', 'give-up')];
  t.same(plan(textWith(arrived, ...failed), sms, 2), { kind: 'end', state: 'ACCEPTED' }, 'somebody was reached');
});

t.test('a receipt is awaited where one must come', async (t) => {
  t.equal(awaitsMs(smsWith(), 20_000), 20_000);
  t.equal(awaitsMs({ channel: 'whatsapp', recipient: contact, tries: [] }, 20_000), 20_000);
  for (const channel of ['email', 'push', 'incident', 'voice'] as const) {
    t.equal(awaitsMs({ channel, recipient: contact, tries: [] }, 20_000), null, channel);
  }
  t.ok(awaitsMs(callWith(onCall), 20_000));
});

t.test('levels go on for ever, and gaps are passed over', async (t) => {
  const levels = [['a'], [], ['b', 'c']];
  t.same(
    [1, 2, 3, 4].map((level) => onLevel(levels, level)),
    [['a'], ['b', 'c'], ['a'], ['b', 'c']],
  );
  t.same(onLevel([], 1), []);
  t.same(onLevel([[], []], 7), []);
});
