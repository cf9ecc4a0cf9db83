import type { NotificationChannel, NotificationClass } from './notification-document.ts';
import type { Preferences } from './preferences-store.ts';
import { quietUntilMs } from './quiet-hours.ts';
import type { Template } from './templates/template.ts';

export type Consent =
  | { readonly kind: 'send' }
  | { readonly kind: 'wait'; readonly untilMs: number }
  | { readonly kind: 'suppress'; readonly reason: 'channel_off' | 'quiet_hours' };

/**
 * Whether a person wants this now. Critical messages and one-time codes are always wanted: nobody turns off what proves who they are.
 * What would be of no use once the quiet hours are over is not sent at all. Pure.
 */
export function decideConsent({
  preferences,
  template,
  class: ofClass,
  channel,
  nowMs,
}: {
  preferences: Pick<Preferences, 'channelsOff' | 'quietHours' | 'timeZone'> | null;
  template: Pick<Template, 'isCode' | 'lifeMs'>;
  class: NotificationClass;
  channel: NotificationChannel;
  nowMs: number;
}): Consent {
  if (preferences === null || ofClass === 'critical' || template.isCode) return { kind: 'send' };
  if (preferences.channelsOff.includes(channel)) return { kind: 'suppress', reason: 'channel_off' };
  if (preferences.quietHours === null) return { kind: 'send' };
  const untilMs = quietUntilMs({ quietHours: preferences.quietHours, timeZone: preferences.timeZone, nowMs });
  if (untilMs === undefined) return { kind: 'send' };
  return untilMs < nowMs + template.lifeMs ? { kind: 'wait', untilMs } : { kind: 'suppress', reason: 'quiet_hours' };
}
