import type { VendorHttp } from '../http/vendor-http.ts';
import { callTwilio, type TwilioSettings } from '../twilio/twilio-client.ts';
import type { SmsProvider } from './sms-provider.ts';

export interface TwilioSmsSettings extends TwilioSettings {
  /** A number of the account, E.164, or a messaging service (`MG…`), which picks one. */
  readonly from: string;
}

/** Texts through Twilio's Messages API. Receipts come signed to `receiptUrl`. Source: twilio.com/docs/messaging/api/message-resource. */
export function createTwilioSms({ settings, http }: { settings: TwilioSmsSettings; http: VendorHttp }): SmsProvider {
  const sender = settings.from.startsWith('MG') ? { messagingServiceSid: settings.from } : { from: settings.from };
  return {
    name: 'twilio-sms',
    channel: 'sms',
    send: ({ to, text }, context) =>
      callTwilio({
        settings,
        http,
        context,
        create: (client) =>
          client.messages.create({
            to,
            body: text,
            ...sender,
            ...(context.receiptUrl !== undefined && { statusCallback: context.receiptUrl }),
          }),
      }),
  };
}
