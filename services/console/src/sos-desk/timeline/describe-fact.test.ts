import tap from 'tap';
import { describeFact, type FactReader } from './describe-fact.ts';

const reader: FactReader = {
  outbox: [{ entryId: 'e1', recipient: 'contact', recipientId: 'c1', channel: 'sms', state: 'ACCEPTED', attempts: 1 }],
  staffName: (userId) => (userId === 'asha' ? 'Asha' : userId),
  contactName: () => 'Mira (sister)',
};

tap.test('facts of messages say whom, by which way, by which company, and what came of it', async (t) => {
  const data = { entryId: 'e1', channel: 'sms', provider: 'twilio' };
  t.equal(
    describeFact({ kind: 'attempt', data: { ...data, outcome: 'accepted', reason: null } }, reader),
    'SMS to Mira (sister): accepted, by twilio',
  );
  t.equal(
    describeFact({ kind: 'receipt', data: { ...data, status: 'delivered' } }, reader),
    'SMS to Mira (sister): delivered, by twilio',
  );
  t.equal(
    describeFact(
      { kind: 'not_delivered', data: { entryId: 'gone', channel: 'voice', reason: 'not-answered' } },
      reader,
    ),
    'Call: not delivered, not answered',
  );
});

tap.test('messages to who is on call say who that was, where it is known', async (t) => {
  const data = { entryId: 'on-call-x-voice', channel: 'voice', outcome: 'accepted' };
  t.equal(describeFact({ kind: 'attempt', data: { ...data, personId: 'asha' } }, reader), 'Call to Asha: accepted');
  t.equal(describeFact({ kind: 'attempt', data }, reader), 'Call to who is on call: accepted');
});

tap.test('facts of people and of the escalation are sentences, those nobody knows yet too', async (t) => {
  t.equal(describeFact({ kind: 'escalated', data: { level: 2 } }, reader), 'Escalated to level 2');
  t.equal(describeFact({ kind: 'claimed', data: { takenOverFrom: 'asha' } }, reader), 'Taken over from Asha');
  t.equal(describeFact({ kind: 'claimed' }, reader), 'Claimed');
  t.equal(describeFact({ kind: 'share_link_opened' }, reader), 'Share link opened');
});
