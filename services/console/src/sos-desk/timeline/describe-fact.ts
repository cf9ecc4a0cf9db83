import type { AlertFact, OutboxChannel } from '@hushryd/contracts/http/sos';
import { channelWords, describeRecipient, type OutboxEntry } from '../alerts/words.ts';

/** What a fact is read with. */
export interface FactReader {
  outbox: readonly OutboxEntry[];
  staffName: (userId: string) => string;
  contactName: (contactId: string) => string;
}

const words: Record<string, string> = {
  raised: 'SOS pressed',
  pressed_again: 'SOS pressed again',
  claimed: 'Claimed',
  acknowledged: 'Acknowledged',
  note: 'Note',
  resolved: 'Resolved',
  false_alarm: 'Closed as a false alarm',
  cancelled: 'Cancelled with the PIN',
  duress: 'Duress PIN used: the phone shows a cancelled alert',
  call: 'Call to the person',
  exported: 'Exported',
};

/** A fact in words, without who did it and what they wrote. A kind that came after this console is read all the same. Pure. */
export function describeFact({ kind, data = {} }: Pick<AlertFact, 'kind' | 'data'>, reader: FactReader): string {
  const text = (name: string) => (typeof data[name] === 'string' || typeof data[name] === 'number' ? data[name] : '');
  switch (kind) {
    case 'attempt':
      return joined([
        `${messageOf(data, reader)}: ${spaced(text('outcome'))}`,
        spaced(text('reason')),
        byOf(text('provider')),
      ]);
    case 'receipt':
      return joined([`${messageOf(data, reader)}: ${spaced(text('status'))}`, byOf(text('provider'))]);
    case 'not_delivered':
      return joined([`${messageOf(data, reader)}: not delivered`, spaced(text('reason'))]);
    case 'escalated':
      return `Escalated to level ${text('level')}`;
    case 'claimed': {
      const from = text('takenOverFrom');
      return from === '' ? 'Claimed' : `Taken over from ${reader.staffName(String(from))}`;
    }
    default:
      return words[kind] ?? capital(spaced(kind));
  }
}

/** `SMS to Mira (sister)`. */
function messageOf(data: Record<string, unknown>, { outbox, contactName, staffName }: FactReader): string {
  const channel = channelWords[data.channel as OutboxChannel] ?? 'Message';
  // Who is on call gets a message of their own each time; the alert keeps none of them.
  if (typeof data.personId === 'string') return `${channel} to ${staffName(data.personId)}`;
  if (String(data.entryId).startsWith('on-call-')) return `${channel} to who is on call`;
  const entry = outbox.find(({ entryId }) => entryId === data.entryId);
  return entry === undefined ? channel : `${channel} to ${describeRecipient(entry, contactName)}`;
}

const byOf = (provider: string | number): string => (provider === '' ? '' : `by ${provider}`);
const joined = (parts: string[]): string => parts.filter((part) => part !== '').join(', ');
const spaced = (text: string | number): string => String(text).replaceAll(/[_-]/g, ' ');
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
