import type { Alert, AlertState, AlertSummary, OutboxChannel, OutboxState } from '@hushryd/contracts/http/sos';
import { formatAgo, formatDuration } from '../../time/format-time.ts';

/** One message on its way, as an alert shows it. */
export type OutboxEntry = NonNullable<Alert['outbox']>[number];

export const endedWords: Partial<Record<AlertState, string>> = {
  resolved: 'Resolved',
  false_alarm: 'False alarm',
  cancelled: 'Cancelled',
};

export const channelWords: Record<OutboxChannel, string> = {
  desk: 'Desk',
  incident: 'Incident',
  app: 'App',
  push: 'Push',
  sms: 'SMS',
  whatsapp: 'WhatsApp',
  email: 'Email',
  voice: 'Call',
  none: 'To be looked up',
};

/** What a message says, beside the way it takes: of an incident that is what it has come to. Pure. */
export const describeMessage = ({ channel, purpose }: Pick<OutboxEntry, 'channel' | 'purpose'>): string =>
  purpose === undefined || channel === 'incident'
    ? channelWords[channel]
    : `${channelWords[channel]}: ${purposeWords[purpose]}`;

const purposeWords = { acknowledge: 'somebody takes care', resolve: 'it is over' };
const incidentWords = { acknowledge: 'Acknowledged', resolve: 'Resolved' };

/** `ACCEPTED`: a company took it, which says nothing about the person; the desk and the incident system are no person. Pure. */
export function describeEntry({ state, channel, purpose }: Pick<OutboxEntry, 'state' | 'channel' | 'purpose'>): string {
  if (state === 'ACCEPTED' && channel === 'desk') return 'Told';
  if (state === 'ACCEPTED' && channel === 'incident') return purpose === undefined ? 'Opened' : incidentWords[purpose];
  return outboxWords[state];
}

const outboxWords: Record<OutboxState, string> = {
  PENDING: 'Waiting',
  SENDING: 'Being sent',
  ACCEPTED: 'Sent, not confirmed',
  DELIVERED: 'Delivered',
  FAILED: 'Failed',
};

/** When the next person is called, unless somebody acknowledges. */
export function describeEscalation({ escalatesAt, escalationLevel = 0, state }: AlertSummary, nowMs: number): string {
  if (state === 'acknowledged') return 'Escalation stopped';
  if (escalatesAt === undefined) return 'Escalation not known yet';
  if (escalatesAt === null) return 'No further escalation';
  const leftMs = Date.parse(escalatesAt) - nowMs;
  const level = `level ${escalationLevel + 1}`;
  return leftMs > 0
    ? `Escalates to ${level} in ${formatDuration(Math.ceil(leftMs / 1000) * 1000)}`
    : `Escalating to ${level}`;
}

/** A person, or a place that hears of alerts. Pure. */
export function describeRecipient(
  { recipient, recipientId }: Pick<OutboxEntry, 'recipient' | 'recipientId'>,
  contactName: (contactId: string) => string,
): string {
  if (recipient === 'contact') return recipientId === undefined ? 'Contact' : contactName(recipientId);
  return recipientWords[recipient];
}

const recipientWords: Record<Exclude<OutboxEntry['recipient'], 'contact'>, string> = {
  operators: 'Operators',
  on_call: 'On call',
  incident: 'Incident system',
  expand_contacts: 'Emergency contacts',
  person: 'The person',
};

/** `Claimed by Asha 4 s ago`. Pure. */
export function describeHolder(
  alert: AlertSummary,
  { name, nowMs }: { name: (userId: string | undefined) => string; nowMs: number },
): string | undefined {
  const ago = (at: string | undefined) => (at === undefined ? '' : ` ${formatAgo(nowMs - Date.parse(at))}`);
  if (alert.closedAt !== undefined) return `Closed by ${name(alert.closedBy)}${ago(alert.closedAt)}`;
  if (alert.acknowledgedAt !== undefined)
    return `Acknowledged by ${name(alert.acknowledgedBy)}${ago(alert.acknowledgedAt)}`;
  if (alert.claimedBy !== undefined) return `Claimed by ${name(alert.claimedBy)}${ago(alert.claimedAt)}`;
  return undefined;
}
