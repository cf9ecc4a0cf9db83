import type { VendorHttp } from '../http/vendor-http.ts';
import { callTwilio, type TwilioSettings } from '../twilio/twilio-client.ts';
import { addressOfKeys, secondsForKeys } from './twilio-keys.ts';
import type { VoiceMessage, VoiceProvider } from './voice-provider.ts';

export interface TwilioVoiceSettings extends TwilioSettings {
  /** A number of the account that may call, E.164. */
  readonly from: string;
}

/**
 * Calls through Twilio's Calls API. What is said goes along as TwiML, so a call needs nothing of ours but receipts: it speaks even when
 * every server of ours is away. Source: twilio.com/docs/voice/api/call-resource, twilio.com/docs/voice/twiml/gather.
 */
export function createTwilioVoice({
  settings,
  http,
}: {
  settings: TwilioVoiceSettings;
  http: VendorHttp;
}): VoiceProvider {
  return {
    name: 'twilio-voice',
    channel: 'voice',
    async send(message, context) {
      const twiml = await toTwiml(message);
      return callTwilio({
        settings,
        http,
        context,
        create: (client) =>
          client.calls.create({
            to: message.to,
            from: settings.from,
            twiml,
            timeout: message.ringSeconds ?? 30,
            ...(context.receiptUrl !== undefined && {
              statusCallback: context.receiptUrl,
              statusCallbackMethod: 'POST',
              statusCallbackEvent: ['initiated', 'ringing', 'answered', 'completed'],
            }),
          }),
      });
    },
  };
}

async function toTwiml({ sayText, language, gather }: VoiceMessage): Promise<string> {
  const { default: twilio } = await import('twilio');
  const response = new twilio.twiml.VoiceResponse();
  // Their types list the languages of today.
  const how = { language: language as 'en-IN' };
  // Whoever has just been woken needs it twice.
  for (let time = 1; time <= 2; time += 1) {
    if (gather === undefined) response.say(how, sayText);
    else {
      const { digitsUrl, maxDigits: numDigits } = gather;
      const action = addressOfKeys(digitsUrl, { language, timesAsked: 1 });
      response.gather({ action, numDigits, method: 'POST', timeout: secondsForKeys }).say(how, sayText);
    }
  }
  return response.toString();
}
