import { type CodeMeaning, toFailure, toMalformed } from '../http/failed-answer.ts';
import { at, readJson, textAt } from '../http/read-json.ts';
import type { VendorAnswer, VendorHttp } from '../http/vendor-http.ts';
import { accepted, type SendContext, type SendFailure } from '../provider.ts';
import type { EmailProvider } from './email-provider.ts';

export interface SendgridSettings {
  readonly apiKey: string;
  readonly from: { readonly email: string; readonly name?: string };
  /** `https://api.sendgrid.com`, or whoever plays it. */
  readonly baseUrl: string;
}

/** The part of SendGrid's client that is used; its own types cannot be imported from a module. */
interface SendgridClient {
  setApiKey(apiKey: string): void;
  createRequest(data: object): { url: string; headers: Record<string, string>; data: unknown };
  request(data: object): Promise<[object, undefined]>;
}

type SendgridMail = Pick<typeof import('@sendgrid/mail'), 'send' | 'setClient'>;

/**
 * Mail through SendGrid's v3 API, made and checked by its own client; the connection and the deadline are ours, nothing is retried.
 *
 * Links are left as they are and openings are not counted: a mail about somebody in danger tells nobody who read it. Receipts go to the
 * address in SendGrid's settings; `attempt_id` comes back in them. Source: twilio.com/docs/sendgrid/api-reference/mail-send.
 */
export function createSendgrid({ settings, http }: { settings: SendgridSettings; http: VendorHttp }): EmailProvider {
  return {
    name: 'sendgrid',
    channel: 'email',
    async send({ to, subject, text, html, replyTo }, context) {
      const { mail, answered } = await openClient({ settings, http, context });
      const message = {
        to,
        from: settings.from,
        subject,
        text,
        html,
        ...(replyTo !== undefined && { replyTo }),
        customArgs: { attempt_id: context.attemptId },
        trackingSettings: { clickTracking: { enable: false, enableText: false }, openTracking: { enable: false } },
      };
      try {
        await mail.send(message);
      } catch (error) {
        // Without an answer it is not SendGrid who failed.
        if (answered() === undefined) throw error;
      }
      const answer = answered();
      if (answer === undefined) throw new Error('The SendGrid client ended without a request');
      return answer.kind === 'failed' ? answer : readAnswer(answer);
    },
  };
}

/** A client a message, because the deadline belongs to the message; loaded with the first one. */
async function openClient({
  settings,
  http,
  context,
}: {
  settings: SendgridSettings;
  http: VendorHttp;
  context: SendContext;
}): Promise<{ mail: SendgridMail; answered: () => VendorAnswer | SendFailure | undefined }> {
  const [{ default: mailModule }, { default: clientModule }] = await Promise.all([
    import('@sendgrid/mail'),
    import('@sendgrid/client'),
  ]);
  // Their types know these classes as types only.
  const { MailService } = mailModule as unknown as { MailService: new () => SendgridMail };
  const { Client } = clientModule as unknown as { Client: new () => SendgridClient };

  let answer: VendorAnswer | SendFailure | undefined;
  const client = new Client();
  client.setApiKey(settings.apiKey);
  client.request = async (data) => {
    const { url, headers, data: body } = client.createRequest(data);
    answer = await http.post({ url: `${settings.baseUrl}${url}`, headers, body: JSON.stringify(body) }, context);
    const response = answer.kind === 'failed' ? {} : { statusCode: answer.status, body: answer.body };
    return [response, undefined];
  };
  const mail = new MailService();
  mail.setClient(client as never);
  return { mail, answered: () => answer };
}

function readAnswer(answer: VendorAnswer) {
  if (answer.status >= 300) {
    const body = readJson(answer.body);
    const pause = answer.headers['retry-after'] ?? untilReset(answer.headers['x-ratelimit-reset']);
    const headers = { ...answer.headers, 'retry-after': pause };
    return toFailure({ ...answer, headers }, { vendorCode: fieldOf(body), meaning: meaningOf(body) });
  }
  const id = answer.headers['x-message-id'];
  return typeof id === 'string' && id !== '' ? accepted(id) : toMalformed(answer);
}

/** SendGrid says when its limit ends, in epoch seconds, instead of `Retry-After`. */
function untilReset(header: string | string[] | undefined): string | undefined {
  const seconds = Number(header) - Math.floor(Date.now() / 1_000);
  return header === undefined || Number.isNaN(seconds) ? undefined : String(Math.max(0, seconds));
}

/** SendGrid has no codes: the field that it complains of is what it says most clearly. */
function fieldOf(body: ReturnType<typeof readJson>): string | undefined {
  const field = textAt(body, 'errors', 0, 'field');
  return field !== undefined && /^[\w.[\]]{1,64}$/.test(field) ? field : undefined;
}

function meaningOf(body: ReturnType<typeof readJson>): CodeMeaning | undefined {
  const errors = at(body, 'errors');
  const isAboutRecipient = (Array.isArray(errors) ? errors : []).some((error) =>
    /^personalizations\.\d+\.to\b/.test(textAt(error, 'field') ?? ''),
  );
  return isAboutRecipient ? { errorClass: 'give-up', reason: 'recipient-invalid' } : undefined;
}
