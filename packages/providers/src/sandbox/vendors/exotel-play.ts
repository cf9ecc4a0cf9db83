import { randomBytes } from 'node:crypto';
import { readJson, textAt } from '../../http/read-json.ts';
import type { SandboxCredentials } from '../credentials.ts';
import {
  basicCredentials,
  type CallInput,
  invalidNumber,
  isPhoneNumber,
  json,
  type PlayedEvent,
  type VendorPlay,
  type VoiceTurn,
} from './vendor-play.ts';

const terminalStatus: Partial<Record<PlayedEvent, string>> = {
  completed: 'completed',
  busy: 'busy',
  'no-answer': 'no-answer',
  undelivered: 'failed',
};

const exception = (status: number, message: string) => ({ RestException: { Status: status, Message: message } });
/** Exotel writes the time of India. */
const indianTime = (ms: number) => new Date(ms + 5.5 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');

/**
 * Calls to a flow of Exotel's panel: gather applet (asks us what to say), passthru applet (passes the keys on). It tells of a call when it
 * was answered and when it ended, as a form of several parts, and signs nothing.
 */
export function createExotelPlay(credentials: SandboxCredentials['exotel']): VendorPlay {
  const { accountSid, apiKey, apiToken, callerId } = credentials;
  const path = `/v1/Accounts/${accountSid}/Calls/connect.json`;
  return {
    provider: 'exotel',
    channel: 'voice',
    matches: (call) => call.method === 'POST' && /^\/v1\/Accounts\/[^/]+\/Calls\/connect(?:\.json)?$/.test(call.path),
    isGenuine(call) {
      const { username, password } = basicCredentials(call);
      return username === apiKey && password === apiToken && call.path === path;
    },
    read(call) {
      const form = new URLSearchParams(call.body);
      const to = form.get('From') ?? '';
      if (to === '' || !form.get('CallerId') || !form.get('Url')) {
        return json(400, exception(400, 'Bad or missing parameters'));
      }
      if (to === invalidNumber || !isPhoneNumber(to)) return this.refuse('invalid-recipient', {});
      const receiptUrl = form.get('StatusCallback') ?? undefined;
      const echo = form.get('CustomField') ?? undefined;
      return {
        id: randomBytes(16).toString('hex'),
        recipient: to,
        attemptId: echo?.split(':')[0],
        content: { from: form.get('CallerId') ?? '' },
        voice: { ringSeconds: Number(form.get('TimeOut') ?? 30), script: form.get('Url') ?? '' },
        ...(receiptUrl !== undefined && { receiptUrl }),
        ...(echo !== undefined && { echo }),
      };
    },
    accept: ({ id, recipient }) =>
      json(200, {
        Call: {
          Sid: id,
          ParentCallSid: null,
          DateCreated: indianTime(Date.now()),
          DateUpdated: indianTime(Date.now()),
          AccountSid: accountSid,
          To: null,
          From: recipient,
          PhoneNumberSid: callerId,
          Status: 'in-progress',
          StartTime: indianTime(Date.now()),
          EndTime: null,
          Duration: null,
          Price: null,
          Direction: 'outbound-api',
          AnsweredBy: null,
          ForwardedFrom: null,
          CallerName: null,
          Uri: `/v1/Accounts/${accountSid}/Calls.json/${id}`,
          RecordingUrl: null,
        },
      }),
    refuse(mode, { retryAfterSeconds = 2 }) {
      switch (mode) {
        case '500':
          return json(500, exception(500, 'Internal Server Error'));
        case '429':
          return json(429, exception(429, 'Too Many Requests'), { 'retry-after': String(retryAfterSeconds) });
        case 'auth':
          return json(401, exception(401, 'Authentication failed'));
        case 'invalid-recipient':
          return json(400, exception(400, 'Invalid parameter: From is not a valid phone number'));
        case 'error-in-200':
          return json(200, exception(500, 'Internal Server Error'));
      }
    },
    receipt({ message, order, event, nowMs }) {
      const status = event === 'answered' ? 'in-progress' : terminalStatus[event];
      if (status === undefined || order.receiptUrl === undefined) return undefined;
      const boundary = `------------------------${randomBytes(8).toString('hex')}`;
      const fields = {
        CallSid: message.id,
        EventType: event === 'answered' ? 'answered' : 'terminal',
        Status: status,
        DateCreated: indianTime(message.receivedAtMs),
        DateUpdated: indianTime(nowMs),
        From: message.recipient,
        PhoneNumberSid: order.content.from ?? '',
        Direction: 'outbound-api',
        ...(event !== 'answered' && { CustomField: order.echo ?? '' }),
      };
      const parts = Object.entries(fields).map(
        ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
      );
      return {
        method: 'POST',
        url: order.receiptUrl,
        headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
        body: `${parts.join('')}--${boundary}--\r\n`,
      };
    },
    async answerCall(input) {
      return askForKeys(input);
    },
    async pressKeys(input) {
      // The passthru applet puts the keys into quotes.
      const answer = await askFlow(input, input.flowUrls.digits, { digits: `"${input.digits}"` });
      // The way of 302 leads back to the gather applet.
      return answer?.status === 302 ? askForKeys(input) : { said: [], canPress: false };
    },
  };
}

/** The gather applet asks what to say. */
async function askForKeys(input: CallInput): Promise<VoiceTurn> {
  const answer = await askFlow(input, input.flowUrls.prompt, {});
  const text = answer?.status === 200 ? textAt(readJson(answer.text), 'gather_prompt', 'text') : undefined;
  return text === undefined
    ? { said: ['(The flow was told nothing to say.)'], canPress: false }
    : { said: [text], canPress: true };
}

function askFlow({ message, order, ask }: CallInput, url: string | undefined, more: Record<string, string>) {
  if (url === undefined) return Promise.resolve(undefined);
  const query = new URLSearchParams({
    CallSid: message.id,
    CallFrom: message.recipient,
    CallTo: order.content.from ?? '',
    CallStatus: 'in-progress',
    Direction: 'outbound-dial',
    CustomField: order.echo ?? '',
    ...more,
  });
  return ask({ method: 'GET', url: `${url}?${query}`, headers: { 'exotel-version': '1.0' } });
}
