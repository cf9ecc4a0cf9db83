import { toFailure, toMalformed } from '../http/failed-answer.ts';
import { readJson, textAt } from '../http/read-json.ts';
import type { VendorAnswer, VendorHttp } from '../http/vendor-http.ts';
import { accepted, type SendContext, type SendFailure, type SendOutcome } from '../provider.ts';
import { meaningOfTwilioCode } from './twilio-codes.ts';

export interface TwilioSettings {
  readonly accountSid: string;
  readonly authToken: string;
  /** `https://api.twilio.com`, or whoever plays it. */
  readonly baseUrl: string;
}

type TwilioClient = import('twilio').Twilio;

/** What Twilio's client asks of whoever carries its requests. */
interface TwilioRequest {
  readonly uri: string;
  readonly username?: string;
  readonly password?: string;
  readonly headers?: Record<string, string>;
  readonly data?: Record<string, unknown>;
}

/**
 * Runs one call of Twilio's own client and says what came of it.
 *
 * The client makes and reads the request; the connection, the deadline and the base address are ours, and so nothing is retried. It is
 * loaded with the first call: 130 ms and 23 MB, which a process without Twilio never spends.
 *
 * @param create one creation of a resource, such as `(client) => client.messages.create(…)`
 */
export async function callTwilio({
  settings,
  http,
  context,
  create,
}: {
  settings: TwilioSettings;
  http: VendorHttp;
  context: SendContext;
  create: (client: TwilioClient) => Promise<{ sid: string }>;
}): Promise<SendOutcome> {
  const { default: twilio } = await import('twilio');
  let answer: VendorAnswer | SendFailure | undefined;
  const httpClient = {
    async request(request: TwilioRequest) {
      answer = await http.post(toRequest(request, settings.baseUrl), context);
      if (answer.kind === 'failed') throw new NoAnswerError();
      return { statusCode: answer.status, body: answer.body, headers: answer.headers };
    },
  };
  // A client a call, because the deadline belongs to the call; making one opens nothing.
  const client = twilio(settings.accountSid, settings.authToken, { httpClient: httpClient as never, autoRetry: false });

  try {
    const { sid } = await create(client);
    return typeof sid === 'string' && sid !== '' ? accepted(sid) : toMalformed({ status: 201 });
  } catch (error) {
    // Without an answer of any kind it is not the vendor who failed.
    if (answer === undefined) throw error;
    return answer.kind === 'failed' ? answer : toTwilioFailure(answer);
  }
}

function toTwilioFailure(answer: VendorAnswer): SendFailure {
  const vendorCode = textAt(readJson(answer.body), 'code');
  if (answer.status < 300) return toMalformed(answer, vendorCode);
  return toFailure(answer, { vendorCode, meaning: meaningOfTwilioCode(vendorCode) });
}

function toRequest({ uri, username, password, headers, data }: TwilioRequest, baseUrl: string) {
  const { pathname, search } = new URL(uri);
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(data ?? {})) {
    for (const item of Array.isArray(value) ? value : [value]) if (item !== undefined) form.append(name, String(item));
  }
  const credentials = Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64');
  return {
    url: `${baseUrl}${pathname}${search}`,
    headers: { ...headers, authorization: `Basic ${credentials}` },
    body: form.toString(),
  };
}

class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}
