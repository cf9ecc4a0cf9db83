import { addressOfKeys, readAskedKeys, secondsForKeys } from '../voice/twilio-keys.ts';
import type { WebhookRequest } from './receipt.ts';
import type { TellingProvider } from './verify-webhook.ts';

/** What somebody hears who has pressed a key. */
export interface KeyAnswer {
  readonly sayText: string;
  /** Another key is awaited; what is said where none comes. Without it the call ends. */
  readonly again?: { readonly silenceText: string };
}

export interface KeyReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/**
 * A vendor's form of an answer to keys.
 *
 * Twilio hears what to say. A flow of Exotel's panel speaks by itself, and takes one of two ways after its passthru applet: 200 where it is
 * done, 302 where the flow leads back to the gather applet. How often is for that flow to say. Source: developer.exotel.com, "Passthru
 * Applet"; twilio.com/docs/voice/twiml/gather.
 *
 * @param request that the keys came with
 * @returns undefined for vendors that carry no calls
 */
export async function toKeyReply({
  provider,
  request,
  answer,
}: {
  provider: TellingProvider;
  request: WebhookRequest;
  answer: KeyAnswer;
}): Promise<KeyReply | undefined> {
  if (provider === 'exotel') return { status: answer.again ? 302 : 200, contentType: 'text/plain', body: '' };
  if (provider !== 'twilio-voice') return undefined;
  return { status: 200, contentType: 'text/xml', body: await toTwiml(request.url, answer) };
}

async function toTwiml(url: string, { sayText, again }: KeyAnswer): Promise<string> {
  const { default: twilio } = await import('twilio');
  const response = new twilio.twiml.VoiceResponse();
  const { language, timesAsked } = readAskedKeys(url);
  // Their types list the languages of today.
  const how = { language: language as 'en-IN' };
  if (again === undefined) response.say(how, sayText);
  else {
    const action = addressOfKeys(url, { language, timesAsked: timesAsked + 1 });
    response.gather({ action, numDigits: 1, method: 'POST', timeout: secondsForKeys }).say(how, sayText);
    response.say(how, again.silenceText);
  }
  response.hangup();
  return response.toString();
}
