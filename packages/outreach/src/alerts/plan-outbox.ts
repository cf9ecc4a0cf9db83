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

/**
 * One incident more, where somebody is needed again after an acknowledgement: whoever carries incidents tells nobody of what comes to an
 * acknowledged one. Source: developer.pagerduty.com, "Send an Alert Event".
 *
 * @param round of what it is needed for, unique in its alert: the press, or the fact of it
 */
export const reopenIncident = (round: string): PlannedEntry => ({
  entryId: `incident-${round}`,
  recipient: { kind: 'incident', round },
  channel: 'incident',
});

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
