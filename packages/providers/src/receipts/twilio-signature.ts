import { createHash, createHmac } from 'node:crypto';
import { isSame } from './is-same.ts';
import { headerOf, type RefusalReason, type WebhookRequest } from './receipt.ts';

/**
 * Whether Twilio signed this: HMAC-SHA1 over the address and the sorted parameters, or over the address alone where its query holds the
 * hash of a JSON body (`bodySHA256`). Twilio signs no time: replays are found by their event id.
 *
 * @returns why not, or undefined where it is genuine. Source: twilio.com/docs/usage/security.
 */
export function checkTwilioSignature(
  request: WebhookRequest,
  authTokens: readonly string[],
): RefusalReason | undefined {
  const given = headerOf(request, 'x-twilio-signature');
  if (given === undefined) return 'signature-missing';
  const bodyHash = /[?&]bodySHA256=([^&]*)/.exec(request.url)?.[1];
  if (bodyHash !== undefined && !isSame(bodyHash, createHash('sha256').update(request.rawBody).digest('hex'))) {
    return 'signature-wrong';
  }
  const parameters = bodyHash === undefined ? sortParameters(request.rawBody.toString('utf8')) : '';
  // Whether the port is part of what is signed depends on Twilio's own stack.
  const isGenuine = [request.url, withPort(request.url), withoutPort(request.url)].some((url) =>
    authTokens.some((token) => isSame(given, signForTwilio({ token, url, parameters }))),
  );
  return isGenuine ? undefined : 'signature-wrong';
}

export function signForTwilio({ token, url, parameters }: { token: string; url: string; parameters: string }): string {
  return createHmac('sha1', token).update(`${url}${parameters}`).digest('base64');
}

/** Name and value of each, sorted by name; of a repeated name each value once. */
export function sortParameters(form: string): string {
  const values = new Map<string, Set<string>>();
  for (const [name, value] of new URLSearchParams(form)) values.set(name, (values.get(name) ?? new Set()).add(value));
  return [...values.keys()]
    .sort()
    .flatMap((name) => [...(values.get(name) ?? [])].sort().map((value) => `${name}${value}`))
    .join('');
}

const authority = /^(https?):\/\/([^/?#]*)/i;

function withPort(url: string): string {
  return url.replace(authority, (whole, scheme: string, host: string) => {
    if (/:\d+$/.test(host)) return whole;
    return `${whole}:${scheme.toLowerCase() === 'https' ? 443 : 80}`;
  });
}

function withoutPort(url: string): string {
  return url.replace(authority, (whole) => whole.replace(/:\d+$/, ''));
}
