import { setTimeout as sleep } from 'node:timers/promises';
import type { Alert } from '@hushryd/contracts/http/sos';
import type { HttpClient } from '@hushryd/sdk/http/http-client';
import { uuidV7 } from '@hushryd/sdk/sos/uuid-v7';
import { madeUpContacts } from '../simulated-sos/made-up-people.ts';
import type { DrillOptions } from './read-drill-options.ts';

type Entry = NonNullable<Alert['outbox']>[number];

const lookEveryMs = 300;
const words: Record<Entry['state'], string> = {
  PENDING: 'waits',
  SENDING: 'is being sent',
  ACCEPTED: 'taken by the company',
  DELIVERED: 'delivered',
  FAILED: 'NOT reached',
};

/**
 * One drill, told as it goes: what holds it, that the operators' topic has it, and what becomes of each contact's messages.
 *
 * @throws HttpProblem
 */
export async function runDrill({
  http,
  options,
  say,
  now = Date.now,
}: {
  http: Pick<HttpClient, 'listContacts' | 'putContact' | 'raiseDrill' | 'getAlert'>;
  options: Pick<DrillOptions, 'hasMadeUpContacts' | 'waitMs'>;
  say: (line: string) => void;
  now?: () => number;
}): Promise<{ isEveryoneReached: boolean }> {
  if (options.hasMadeUpContacts) {
    for (const { contactId, contact } of madeUpContacts) await http.putContact(contactId, contact);
  }
  const { contacts } = await http.listContacts();
  if (contacts.length === 0) {
    say('There are no emergency contacts: an SOS would reach the operators alone. (--made-up-contacts adds two.)');
    return { isEveryoneReached: false };
  }
  const nameOf = (entry: Entry) =>
    entry.recipient === 'operators'
      ? 'The operators'
      : `${contacts.find(({ contactId }) => contactId === entry.recipientId)?.name ?? entry.recipient}, ${entry.channel}`;

  const startedAt = now();
  const tell = (text: string) => say(`${((now() - startedAt) / 1_000).toFixed(1).padStart(5)} s  ${text}`);
  const { alertId, durability } = await http.raiseDrill(uuidV7(startedAt));
  tell(`Held (${durability}): drill ${alertId}`);

  const told = new Map<string, Entry['state']>();
  let entries: Entry[] = [];
  for (;;) {
    entries = (await http.getAlert(alertId)).outbox ?? [];
    for (const entry of entries) {
      if (entry.state === 'PENDING' || entry.state === 'SENDING' || told.get(entry.entryId) === entry.state) continue;
      told.set(entry.entryId, entry.state);
      tell(`${nameOf(entry)}: ${entry.recipient === 'operators' ? 'told' : words[entry.state]}`);
    }
    if (entries.every(isSettled) || now() - startedAt > options.waitMs) break;
    await sleep(lookEveryMs);
  }
  return summarize(entries, nameOf, say);
}

/** Texts have receipts, which are waited for; of a mail and a call nothing more may come. */
const isSettled = ({ state, channel, recipient }: Entry): boolean =>
  state === 'DELIVERED' ||
  state === 'FAILED' ||
  (state === 'ACCEPTED' && (recipient === 'operators' || (channel !== 'sms' && channel !== 'whatsapp')));

function summarize(entries: readonly Entry[], nameOf: (entry: Entry) => string, say: (line: string) => void) {
  const messages = entries.filter(({ recipient }) => recipient === 'contact');
  const reached = messages.filter(({ state }) => state === 'ACCEPTED' || state === 'DELIVERED');
  const delivered = messages.filter(({ state }) => state === 'DELIVERED');
  say('');
  say(`${reached.length} of ${messages.length} messages are out, ${delivered.length} with a receipt.`);
  for (const entry of messages)
    if (!reached.includes(entry)) say(`Look into: ${nameOf(entry)}, which ${words[entry.state]}.`);
  return { isEveryoneReached: messages.length > 0 && reached.length === messages.length };
}
