import { randomUUID } from 'node:crypto';
import { codeLimits } from '../people/codes/code-limits.ts';
import type { OtpMessage } from '../people/codes/send-otp.ts';
import type { Notified, Notify } from './notify.ts';
import { type Locale, nearestLocale } from './templates/template.ts';

/** Who invites a contact, where it is not known. */
const somebody: Record<Locale, string> = { en: 'Somebody who knows you', hi: 'आपको जानने वाले कोई व्यक्ति' };

/**
 * Carries one-time codes through the hub: they have a lane of their own, whatever else waits, and take the next provider where no receipt
 * comes in time. How long they take is `notification_delivery_seconds{lane="otp"}`. Every call is another message.
 *
 * @throws what `notify` throws
 */
export function createSendOtp(notify: Notify) {
  return async ({ channel, to, code, locale: wanted, invitation, correlationId }: OtpMessage): Promise<Notified> => {
    const locale = nearestLocale(wanted);
    const variables = { code, minutes: String(codeLimits.lifeMs / 60_000) };
    const [notified] = await notify({
      recipient: { locale, addresses: { [channel]: to } },
      ...(invitation === undefined
        ? { template: 'otp', variables }
        : { template: 'contact_verify', variables: { ...variables, person: invitation.from ?? somebody[locale] } }),
      class: 'high',
      channels: [channel],
      idempotencyKey: randomUUID(),
      correlationId,
    });
    if (notified === undefined) throw new RangeError(`No code can be sent over ${channel}`);
    return notified;
  };
}
