import type { AlertFact } from '@hushryd/contracts/http/sos';
import type { OutboxEntry } from '../alerts/words.ts';

/** One person, or one place that hears of alerts, and all ways there. */
export interface Reached {
  key: string;
  recipient: OutboxEntry['recipient'];
  recipientId?: string;
  entries: OutboxEntry[];
}

const order: readonly OutboxEntry['recipient'][] = [
  'operators',
  'person',
  'on_call',
  'contact',
  'expand_contacts',
  'incident',
];

/** The outbox by person, the desk first. Pure. */
export function groupByPerson(outbox: readonly OutboxEntry[]): Reached[] {
  const groups = new Map<string, Reached>();
  for (const entry of outbox) {
    const { recipient, recipientId } = entry;
    const key = recipientId === undefined ? recipient : `${recipient}-${recipientId}`;
    const group = groups.get(key) ?? {
      key,
      recipient,
      ...(recipientId !== undefined && { recipientId }),
      entries: [],
    };
    group.entries.push(entry);
    groups.set(key, group);
  }
  return [...groups.values()].sort(
    (one, other) => order.indexOf(one.recipient) - order.indexOf(other.recipient) || compareText(one.key, other.key),
  );
}

export interface News {
  at: string;
  /** Why it went no further, where it did not. */
  reason: string | undefined;
}

/** The last that was heard of a message; undefined before it was first tried, or where that lies behind the newest facts. Pure. */
export function newsOf(entryId: string, facts: readonly AlertFact[] | undefined): News | undefined {
  const fact = facts?.findLast(({ data }) => data?.entryId === entryId);
  if (fact === undefined) return undefined;
  const { reason } = fact.data ?? {};
  return { at: fact.at, reason: typeof reason === 'string' ? reason.replaceAll(/[_-]/g, ' ') : undefined };
}

const compareText = (one: string, other: string): number => (one < other ? -1 : Number(one > other));
