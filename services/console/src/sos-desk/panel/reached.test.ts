import tap from 'tap';
import type { OutboxEntry } from '../alerts/words.ts';
import { groupByPerson, newsOf } from './reached.ts';

const entry = (
  recipient: OutboxEntry['recipient'],
  channel: OutboxEntry['channel'],
  recipientId?: string,
): OutboxEntry => ({
  entryId: `${recipient}-${recipientId ?? ''}-${channel}`,
  recipient,
  channel,
  state: 'PENDING',
  attempts: 0,
  ...(recipientId !== undefined && { recipientId }),
});

tap.test('messages stand by person, the desk first and the incident last', async (t) => {
  const groups = groupByPerson([
    entry('incident', 'incident'),
    entry('contact', 'sms', 'mira'),
    entry('contact', 'sms', 'dev'),
    entry('operators', 'desk'),
    entry('contact', 'voice', 'mira'),
  ]);
  t.same(
    groups.map(({ key, entries }) => [key, entries.map(({ channel }) => channel)]),
    [
      ['operators', ['desk']],
      ['contact-dev', ['sms']],
      ['contact-mira', ['sms', 'voice']],
      ['incident', ['incident']],
    ],
  );
});

tap.test('of a message it is said when it was last heard of, and why it went no further', async (t) => {
  const fact = (at: string, data: Record<string, unknown>) => ({
    seq: 1,
    factId: at,
    at,
    kind: 'receipt',
    isSealed: true,
    data,
  });
  const facts = [fact('1', { entryId: 'a' }), fact('2', { entryId: 'a', reason: 'not-answered' }), fact('3', {})];
  t.same(newsOf('a', facts), { at: '2', reason: 'not answered' });
  t.same(newsOf('a', facts.slice(0, 1)), { at: '1', reason: undefined });
  t.equal(newsOf('c', facts), undefined);
  t.equal(newsOf('a', undefined), undefined);
});
