import type { SandboxCredentials } from '../credentials.ts';
import type { TwilioAccount } from './twilio-account.ts';
import {
  attemptInAddress,
  invalidNumber,
  isPhoneNumber,
  json,
  type PlayedEvent,
  type VendorPlay,
} from './vendor-play.ts';

const vendorStatus: Partial<Record<PlayedEvent, string>> = {
  accepted: 'queued',
  sent: 'sent',
  delivered: 'delivered',
  undelivered: 'undelivered',
};

/** Magic numbers of Twilio's test credentials. Source: twilio.com/docs/iam/test-credentials. */
const refusals: Readonly<Record<string, [code: number, message: string]>> = {
  [invalidNumber]: [21211, "The 'To' number is not a valid phone number"],
  '+15005550002': [21612, "The 'To' phone number is not currently reachable via SMS"],
  '+15005550003': [21408, 'Permission to send an SMS has not been enabled for the region'],
  '+15005550004': [21610, 'Attempt to send to unsubscribed recipient'],
  '+15005550009': [21614, "'To' number is not a valid mobile number"],
};

export function createTwilioSmsPlay(account: TwilioAccount, { accountSid }: SandboxCredentials['twilio']): VendorPlay {
  return {
    provider: 'twilio-sms',
    channel: 'sms',
    matches: (call) => account.isFor(call, 'Messages'),
    isGenuine: account.isGenuine,
    read(call) {
      const form = new URLSearchParams(call.body);
      const to = form.get('To') ?? '';
      const text = form.get('Body');
      const from = form.get('From') ?? form.get('MessagingServiceSid') ?? '';
      if (to === '') return account.error(400, 21604, "A 'To' phone number is required.");
      if (from === '') return account.error(400, 21603, "A 'From' phone number is required.");
      if (!text) return account.error(400, 21602, 'Message body is required.');
      const refusal = Object.hasOwn(refusals, to) ? refusals[to] : undefined;
      if (refusal !== undefined) return account.error(400, ...refusal);
      if (!isPhoneNumber(to)) return account.error(400, 21211, "The 'To' number is not a valid phone number");
      const receiptUrl = form.get('StatusCallback') ?? undefined;
      return {
        id: account.newSid('SM'),
        recipient: to,
        attemptId: attemptInAddress(receiptUrl),
        content: { from, text },
        ...(receiptUrl !== undefined && { receiptUrl }),
      };
    },
    accept: ({ id, recipient, content }) =>
      json(201, {
        sid: id,
        account_sid: accountSid,
        api_version: '2010-04-01',
        body: content.text,
        date_created: new Date().toUTCString(),
        date_sent: null,
        date_updated: new Date().toUTCString(),
        direction: 'outbound-api',
        error_code: null,
        error_message: null,
        from: content.from,
        messaging_service_sid: null,
        num_media: '0',
        num_segments: '1',
        price: null,
        price_unit: 'USD',
        status: 'queued',
        to: recipient,
        uri: `/2010-04-01/Accounts/${accountSid}/Messages/${id}.json`,
      }),
    refuse: (mode, fault) => account.refuse(mode, fault, 21211),
    receipt({ message, order, event }) {
      const status = vendorStatus[event];
      if (status === undefined || order.receiptUrl === undefined) return undefined;
      return account.sign(order.receiptUrl, {
        MessageSid: message.id,
        SmsSid: message.id,
        MessageStatus: status,
        SmsStatus: status,
        AccountSid: accountSid,
        ApiVersion: '2010-04-01',
        From: order.content.from ?? '',
        To: message.recipient,
        ...(event === 'undelivered' && { ErrorCode: '30003' }),
      });
    },
  };
}
