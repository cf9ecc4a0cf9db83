import type { Provider, ProviderName } from '@hushryd/providers/provider';
import type { Providers } from '@hushryd/providers/providers';
import { webhookAddress } from '@hushryd/providers/receipts/webhook-addresses';
import type { OutboxEntry } from '../alerts/alert-document.ts';
import type { Attempt } from '../delivery/attempt.ts';
import type { Call, DeliveryDesk } from '../delivery/delivery.ts';
import type { VendorTemplates } from '../notifications/notification-settings.ts';
import { toEmail, toSms, toVoice, toWhatsApp } from '../notifications/to-message.ts';
import type { DeviceStore } from '../people/devices/device-store.ts';
import type { AlertView } from './alert-view.ts';
import { alertAttemptId } from './attempt-id.ts';
import type { Target } from './find-recipients.ts';
import { type MessageSettings, toAlertPush, toIncident, toWords } from './to-alert-message.ts';

export interface AttemptOrder {
  alert: AlertView;
  entry: Pick<OutboxEntry, 'entryId' | 'recipient' | 'channel' | 'purpose'>;
  provider: ProviderName;
  /** Within the entry, a new one each time. */
  number: string;
  targets: readonly Target[];
  ownPhone: string | undefined;
}

/** Makes one attempt over one provider: needs the alert and no store. @returns undefined where the company cannot say this at all */
export type MakeAttempt = (order: AttemptOrder) => Promise<Attempt | undefined>;

/** The companies that can carry a channel, the first to be tried first. */
export function providersOf(providers: Providers, channel: OutboxEntry['channel']): readonly ProviderName[] {
  const list: readonly Pick<Provider<never>, 'name'>[] =
    channel === 'desk' || channel === 'app' || channel === 'none' ? [] : providers[channel];
  return list.map(({ name }) => name);
}

/**
 * Attempts over real providers, whatever their breakers say: an alert asks whoever is there.
 *
 * A person's devices get their copies at once, as one attempt: it is accepted where one copy is.
 */
export function createMakeAttempt({
  providers,
  desk,
  devices,
  vendorTemplates,
  webhookBaseUrl,
  messages,
}: {
  providers: Providers;
  desk: Pick<DeliveryDesk, 'attempt'>;
  devices: Pick<DeviceStore, 'removeDeadToken'>;
  vendorTemplates: VendorTemplates;
  /** Without it no receipts come, and no keys. */
  webhookBaseUrl: string | undefined;
  messages: MessageSettings;
}): MakeAttempt {
  const [pathKey] = providers.webhookKeys.path;

  function addressOf(provider: ProviderName, attemptId: string, purpose: 'receipts' | 'digits'): string | undefined {
    if (webhookBaseUrl === undefined || pathKey === undefined) return undefined;
    return webhookAddress({ baseUrl: webhookBaseUrl, provider, attemptId, key: pathKey, purpose });
  }

  async function carry<Message>(
    list: readonly Provider<Message>[],
    message: Message | undefined,
    {
      provider: name,
      attemptId,
      correlationId,
    }: Pick<Call<Message>, 'attemptId' | 'correlationId'> & { provider: ProviderName },
  ): Promise<Attempt | undefined> {
    const provider = list.find((one) => one.name === name);
    if (provider === undefined || message === undefined) return undefined;
    const receiptUrl = addressOf(name, attemptId, 'receipts');
    return desk.attempt({ provider, message, attemptId, receiptUrl, correlationId, isForced: true });
  }

  async function sendOne(order: AttemptOrder, target: Target, attemptId: string): Promise<Attempt | undefined> {
    const { alert, entry, provider, ownPhone } = order;
    const call = { provider, attemptId, correlationId: alert.correlationId };
    if (entry.channel === 'incident') return carry(providers.incident, toIncident(alert, entry, messages), call);
    const words = toWords(alert, entry, target, { ...messages, ownPhone });
    switch (entry.channel) {
      case 'sms':
        return carry(providers.sms, toSms(words, vendorTemplates), call);
      case 'whatsapp':
        return carry(providers.whatsapp, toWhatsApp(words, vendorTemplates), call);
      case 'email':
        return carry(providers.email, toEmail(words), call);
      case 'push': {
        const made = await carry(providers.push, toAlertPush(words, alert._id), call);
        if (made?.reason === 'token-dead' && target.tokenHash !== undefined) {
          // Nobody waits for it: what is dead is dead the next time too.
          const dead = { tokenHash: target.tokenHash, sentAt: new Date(made.startedAtMs) };
          devices.removeDeadToken(dead).catch(() => undefined);
        }
        return made;
      }
      case 'voice': {
        const isAsked = entry.recipient.kind === 'on_call';
        return carry(
          providers.voice,
          toVoice(words, isAsked ? addressOf(provider, attemptId, 'digits') : undefined),
          call,
        );
      }
      default:
        return undefined;
    }
  }

  return async (order) => {
    const attemptId = alertAttemptId({
      alertId: order.alert._id,
      entryId: order.entry.entryId,
      number: order.number,
    });
    const made = await Promise.all(order.targets.map((target) => sendOne(order, target, attemptId)));
    return made.find((one) => one?.outcome === 'accepted') ?? made.find((one) => one !== undefined);
  };
}
