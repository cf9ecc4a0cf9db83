import type { IncidentMessage } from '@hushryd/providers/incident/incident-provider';
import type { PushMessage } from '@hushryd/providers/push/push-provider';
import type { OutboxEntry } from '../alerts/alert-document.ts';
import { toMapUrl } from '../alerts/announce-alert.ts';
import type { Locale } from '../notifications/templates/template.ts';
import { toPush, type Words } from '../notifications/to-message.ts';
import type { AlertView } from './alert-view.ts';
import type { Target } from './find-recipients.ts';

export interface MessageSettings {
  /** Address of a map with `{lat}` and `{lng}` in it. */
  mapUrl: string;
  /** Where staff take an alert, with `{alertId}` in it. */
  deskUrl: string;
  /** Link that shows a contact the trail without a sign-in; absent where there are none. */
  trailUrlOf?: ((alertId: string, contactId: string) => string) | undefined;
}

/** How the person is called whom it is about. Nobody has a name here: a contact knows the number. */
const someone: Record<Locale, string> = {
  en: 'Somebody who named you as emergency contact',
  hi: 'आपको आपातकालीन संपर्क बताने वाले व्यक्ति',
};

export const toLocale = (locale: string): Locale => (locale.split('-')[0] === 'hi' ? 'hi' : 'en');

/**
 * What an entry says to one target, before it takes the form of its channel.
 *
 * @param ownPhone of the person who raised the alert, where it is known
 */
export function toWords(
  alert: AlertView,
  entry: Pick<OutboxEntry, 'recipient' | 'purpose'>,
  { to, locale: wanted }: Target,
  { ownPhone, ...settings }: MessageSettings & { ownPhone: string | undefined },
): Words {
  const locale = toLocale(wanted);
  const person = ownPhone ?? someone[locale];
  const { recipient } = entry;
  if (recipient.kind === 'on_call') {
    const link = settings.deskUrl.replaceAll('{alertId}', alert._id);
    const level = String(recipient.level ?? 1);
    return { template: 'on_call_page', locale, to, variables: { alert: alert._id.slice(-8), level, link } };
  }
  if (recipient.kind === 'person') return { template: 'sos_call_back', locale, to, variables: {} };
  if (alert.isDrill) return { template: 'sos_drill', locale, to, variables: { person } };
  if (entry.purpose === 'resolve') return { template: 'sos_resolved', locale, to, variables: { person } };
  const link = toTrailUrl(alert, entry, settings) ?? `${new URL(settings.mapUrl).origin}/`;
  return { template: 'sos_alert', locale, to, variables: { person, link } };
}

/** Where a contact sees the person; undefined where there is neither a trail nor a place. */
export function toTrailUrl(
  { _id, trigger }: AlertView,
  { recipient }: Pick<OutboxEntry, 'recipient'>,
  { mapUrl, trailUrlOf }: Pick<MessageSettings, 'mapUrl' | 'trailUrlOf'>,
): string | undefined {
  const contactId = recipient.kind === 'contact' ? recipient.contactId : undefined;
  if (trailUrlOf !== undefined && contactId !== undefined) return trailUrlOf(_id, contactId);
  return trigger.location && toMapUrl(mapUrl, trigger.location);
}

/** It opens the alert in the app, which says by the `attempt_id` that goes beside it that it was seen. */
export function toAlertPush(words: Words, alertId: string): PushMessage {
  return { ...toPush(words, alertId), data: { alertId, template: words.template } };
}

/** All that whoever is on duty has to see. One incident an alert, by its id, and one more for each round after an acknowledgement. */
export function toIncident(
  alert: AlertView,
  { recipient, purpose }: Pick<OutboxEntry, 'recipient' | 'purpose'>,
  { mapUrl, deskUrl }: MessageSettings,
): IncidentMessage {
  const round = recipient.kind === 'incident' ? recipient.round : undefined;
  const dedupKey = round === undefined ? alert._id : `${alert._id}.${round}`;
  if (purpose !== undefined) return { action: purpose, dedupKey };
  const { trigger, person } = alert;
  const { location } = trigger;
  const details = {
    alert_id: alert._id,
    correlation_id: alert.correlationId,
    user_id: person.userId,
    role: person.role,
    state: alert.state,
    triggered_at: trigger.triggeredAt,
    accepted_at: alert.acceptedAt.toISOString(),
    trip_id: trigger.tripId,
    battery_percent: trigger.batteryPercent,
    lat: location?.lat,
    lng: location?.lng,
    accuracy_meters: location?.accuracyMeters,
    located_at: location?.recordedAt,
    phone: trigger.device === undefined ? undefined : Object.values(trigger.device).join(' '),
    press_count: alert.pressCount,
    is_duress: alert.duressAt === undefined ? undefined : true,
    emergency_contacts: alert.contacts.length,
    is_token_expired: alert.isTokenExpired,
    escalation_level: alert.escalation.level,
  };
  const map = location && [{ href: toMapUrl(mapUrl, location), text: 'Where the phone was' }];
  return {
    action: 'trigger',
    dedupKey,
    summary: `SOS of ${person.role} ${person.userId}`,
    source: `hushryd in ${alert.region}`,
    severity: 'critical',
    occurredAtMs: alert.acceptedAt.getTime(),
    customDetails: Object.fromEntries(
      Object.entries(details).filter((pair): pair is [string, string | number | boolean] => pair[1] !== undefined),
    ),
    links: [...(map ?? []), { href: deskUrl.replaceAll('{alertId}', alert._id), text: 'Take it' }],
  };
}
