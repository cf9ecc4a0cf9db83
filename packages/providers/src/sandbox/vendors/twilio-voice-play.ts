import type { SandboxCredentials } from '../credentials.ts';
import type { TwilioAccount } from './twilio-account.ts';
import { readTwiml } from './twiml.ts';
import {
  attemptInAddress,
  type CallInput,
  invalidNumber,
  isPhoneNumber,
  json,
  type PlayedEvent,
  type VendorPlay,
} from './vendor-play.ts';

const vendorStatus: Partial<Record<PlayedEvent, string>> = {
  accepted: 'initiated',
  ringing: 'ringing',
  answered: 'in-progress',
  completed: 'completed',
  busy: 'busy',
  'no-answer': 'no-answer',
  undelivered: 'failed',
};

/** Calls whose TwiML came along. Somebody who takes one hears it and may press keys, which are posted to its <Gather>. */
export function createTwilioVoicePlay(
  account: TwilioAccount,
  { accountSid }: SandboxCredentials['twilio'],
): VendorPlay {
  const sharedFields = (message: { id: string; recipient: string }, from: string) => ({
    CallSid: message.id,
    AccountSid: accountSid,
    ApiVersion: '2010-04-01',
    Direction: 'outbound-api',
    From: from,
    To: message.recipient,
    Called: message.recipient,
    Caller: from,
  });
  let sequence = 0;
  /** What a call plays by now: each answer of ours takes the place of what came with the call. */
  const scripts = new WeakMap<CallInput['message'], string>();

  return {
    provider: 'twilio-voice',
    channel: 'voice',
    matches: (call) => account.isFor(call, 'Calls'),
    isGenuine: account.isGenuine,
    read(call) {
      const form = new URLSearchParams(call.body);
      const to = form.get('To') ?? '';
      const from = form.get('From') ?? '';
      const script = form.get('Twiml') ?? '';
      if (to === '') return account.error(400, 21201, 'No called number is specified');
      if (from === '') return account.error(400, 21213, "Caller phone number is required: 'From'");
      if (script === '') return account.error(400, 21205, 'Url parameter is required.');
      if (to === invalidNumber || !isPhoneNumber(to))
        return account.error(400, 21217, 'Phone number does not appear to be valid');
      const receiptUrl = form.get('StatusCallback') ?? undefined;
      return {
        id: account.newSid('CA'),
        recipient: to,
        attemptId: attemptInAddress(receiptUrl),
        content: { from, text: readTwiml(script).said.join(' ') },
        voice: { ringSeconds: Number(form.get('Timeout') ?? 60), script },
        ...(receiptUrl !== undefined && { receiptUrl }),
      };
    },
    accept: ({ id, recipient, content }) =>
      json(201, {
        sid: id,
        account_sid: accountSid,
        api_version: '2010-04-01',
        answered_by: null,
        date_created: null,
        direction: 'outbound-api',
        duration: null,
        from: content.from,
        parent_call_sid: null,
        status: 'queued',
        to: recipient,
        uri: `/2010-04-01/Accounts/${accountSid}/Calls/${id}.json`,
      }),
    refuse: (mode, fault) => account.refuse(mode, fault, 21217),
    receipt({ message, order, event, nowMs }) {
      const status = vendorStatus[event];
      if (status === undefined || order.receiptUrl === undefined) return undefined;
      sequence += 1;
      return account.sign(order.receiptUrl, {
        ...sharedFields(message, order.content.from ?? ''),
        CallStatus: status,
        CallbackSource: 'call-progress-events',
        SequenceNumber: String(sequence),
        Timestamp: new Date(nowMs).toUTCString(),
        ...(event === 'completed' && { CallDuration: '12' }),
      });
    },
    async answerCall({ order }) {
      const { said, gather } = readTwiml(order.voice?.script ?? '');
      return { said, canPress: gather !== undefined };
    },
    async pressKeys({ message, order, digits, ask }) {
      const { gather } = readTwiml(scripts.get(message) ?? order.voice?.script ?? '');
      if (gather === undefined) return { said: [], canPress: false };
      const fields = { ...sharedFields(message, order.content.from ?? ''), CallStatus: 'in-progress' };
      const answer = await ask(
        account.sign(gather.action, { ...fields, Digits: digits, FinishedOnKey: '', msg: 'Gather End' }),
      );
      // Twilio reads this sentence out itself when it gets no TwiML.
      if (answer?.status !== 200) return { said: ['An application error has occurred. Goodbye.'], canPress: false };
      scripts.set(message, answer.text);
      const next = readTwiml(answer.text);
      return { said: next.said, canPress: next.gather !== undefined };
    },
  };
}
