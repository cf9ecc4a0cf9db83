import { createHash, randomBytes } from 'node:crypto';
import { signForTwilio, sortParameters } from '../../receipts/twilio-signature.ts';
import type { SandboxCredentials } from '../credentials.ts';
import {
  basicCredentials,
  json,
  type OutgoingRequest,
  type RefusalMode,
  type VendorAnswer,
  type VendorCall,
} from './vendor-play.ts';

/** What Twilio's texts and calls share: the account, errors, signatures. */
export function createTwilioAccount({ accountSid, authToken }: SandboxCredentials['twilio']) {
  const root = `/2010-04-01/Accounts/${accountSid}`;
  return {
    isFor: (call: VendorCall, resource: 'Messages' | 'Calls') =>
      call.method === 'POST' && new RegExp(`^/2010-04-01/Accounts/[^/]+/${resource}\\.json$`).test(call.path),
    /** Twilio knows an account by its credentials and by the address. */
    isGenuine(call: VendorCall): boolean {
      const { username, password } = basicCredentials(call);
      return username === accountSid && password === authToken && call.path.startsWith(`${root}/`);
    },
    newSid: (prefix: 'SM' | 'CA') => `${prefix}${randomBytes(16).toString('hex')}`,
    error: twilioError,
    refuse(
      mode: RefusalMode,
      { retryAfterSeconds = 2 }: { retryAfterSeconds?: number },
      invalidCode: number,
    ): VendorAnswer {
      switch (mode) {
        case '500':
          return twilioError(500, 20500, 'An internal server error has occurred');
        case '429':
          return twilioError(429, 20429, 'Too Many Requests', { 'retry-after': String(retryAfterSeconds) });
        case 'auth':
          return twilioError(401, 20003, 'Authenticate');
        case 'invalid-recipient':
          return twilioError(400, invalidCode, "The 'To' number is not a valid phone number");
        case 'error-in-200':
          return json(200, { code: 20500, message: 'An internal server error has occurred', status: 500 });
      }
    },
    /** A form as Twilio posts it to us. */
    sign(url: string, fields: Record<string, string>): OutgoingRequest {
      const body = new URLSearchParams(fields).toString();
      const signature = signForTwilio({ token: authToken, url, parameters: sortParameters(body) });
      return {
        method: 'POST',
        url,
        body,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          'user-agent': 'TwilioProxy/1.1',
          'i-twilio-idempotency-token': createHash('sha256').update(body).digest('hex').slice(0, 36),
          'x-twilio-signature': signature,
        },
      };
    },
  };
}

export type TwilioAccount = ReturnType<typeof createTwilioAccount>;

function twilioError(status: number, code: number, message: string, headers?: Record<string, string>): VendorAnswer {
  return json(status, { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status }, headers);
}
