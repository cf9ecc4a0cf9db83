import type { OutreachList } from '../people/contacts/outreach-lists.ts';
import type { PlannedEntry } from './trigger-record.ts';

/**
 * Who is told of an alert, an entry a person and channel: operators and the incident always, then the contacts. Where these could not be
 * read in time, the person on call in their place, and an entry for whoever reads them later. Pure.
 *
 * A drill reaches the operators' topic and the contacts, and neither the incident nor anybody on call.
 *
 * @param list undefined where it could not be read
 */
export function planOutbox(
  list: Pick<OutreachList, 'contacts'> | undefined,
  { isDrill = false }: { isDrill?: boolean | undefined } = {},
): PlannedEntry[] {
  const entries = planAlert(list);
  return isDrill ? entries.filter(({ recipient }) => !pagedKinds.includes(recipient.kind)) : entries;
}

const pagedKinds = ['incident', 'on_call'];

function planAlert(list: Pick<OutreachList, 'contacts'> | undefined): PlannedEntry[] {
  const always: PlannedEntry[] = [
    { entryId: 'operators-desk', recipient: { kind: 'operators' }, channel: 'desk' },
    { entryId: 'incident', recipient: { kind: 'incident' }, channel: 'incident' },
  ];
  if (list === undefined) {
    return [
      ...always,
      { entryId: 'on-call-voice', recipient: { kind: 'on_call' }, channel: 'voice' },
      { entryId: 'expand-contacts', recipient: { kind: 'expand_contacts' }, channel: 'none' },
    ];
  }
  return [
    ...always,
    ...list.contacts.flatMap(({ contactId, channels }) =>
      channels.map(
        (channel): PlannedEntry => ({
          entryId: `contact-${contactId}-${channel}`,
          recipient: { kind: 'contact', contactId },
          channel,
        }),
      ),
    ),
  ];
}
