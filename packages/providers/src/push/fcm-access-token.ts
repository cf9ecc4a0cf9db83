import { createSign } from 'node:crypto';
import { toFailure, toMalformed } from '../http/failed-answer.ts';
import { at, readJson, textAt } from '../http/read-json.ts';
import type { VendorHttp } from '../http/vendor-http.ts';
import { defaultDeadlineMs, type SendFailure } from '../provider.ts';

/** As Google hands it out: JSON with more in it. */
export interface ServiceAccount {
  readonly project_id: string;
  readonly client_email: string;
  /** PEM, PKCS #8. */
  readonly private_key: string;
  readonly token_uri: string;
}

export interface FcmAccessTokens {
  /** @returns a token that is good for a minute at least, or why there is none; callers at the same time share one request */
  get(): Promise<AccessToken | SendFailure>;
  /** Google refused it before its time. */
  forget(token: AccessToken): void;
}

export interface AccessToken {
  readonly kind: 'token';
  readonly value: string;
  readonly expiresAtMs: number;
}

const scope = 'https://www.googleapis.com/auth/firebase.messaging';
const renewBeforeMs = 60_000;

/**
 * Access tokens for FCM from a service account: an assertion signed with RS256 (RFC 7523), exchanged for a token of an hour, which is kept.
 *
 * By hand, because Google's own client takes no other token address. Source: developers.google.com/identity/protocols/oauth2/service-account.
 */
export function createFcmAccessTokens({
  account,
  http,
  now = Date.now,
}: {
  account: ServiceAccount;
  http: VendorHttp;
  now?: () => number;
}): FcmAccessTokens {
  let kept: AccessToken | undefined;
  let fetching: Promise<AccessToken | SendFailure> | undefined;

  async function fetchToken(): Promise<AccessToken | SendFailure> {
    const answer = await http.post(
      {
        url: account.token_uri,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({
          grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
          assertion: signAssertion(account, now()),
        }).toString(),
      },
      { deadlineMs: defaultDeadlineMs },
    );
    // Nothing was sent to anybody yet, whatever became of this request.
    if (answer.kind === 'failed') return { ...answer, isUnknown: false };
    const body = readJson(answer.body);
    if (answer.status >= 300) return refusal(answer, textAt(body, 'error'));
    const value = textAt(body, 'access_token');
    const seconds = at(body, 'expires_in');
    if (value === undefined || typeof seconds !== 'number') return { ...toMalformed(answer), isUnknown: false };
    kept = { kind: 'token', value, expiresAtMs: now() + seconds * 1_000 };
    return kept;
  }

  return {
    get() {
      if (kept !== undefined && kept.expiresAtMs - renewBeforeMs > now()) return Promise.resolve(kept);
      fetching ??= fetchToken().finally(() => {
        fetching = undefined;
      });
      return fetching;
    },
    forget(token) {
      if (kept === token) kept = undefined;
    },
  };
}

/** `invalid_grant` and its like come with 400: it is the key that is wrong, not the request. */
function refusal(answer: Parameters<typeof toFailure>[0], vendorCode: string | undefined): SendFailure {
  const isKey = answer.status === 400 || answer.status === 401 || answer.status === 403;
  const meaning = isKey ? ({ errorClass: 'next', reason: 'unauthorised' } as const) : undefined;
  return { ...toFailure(answer, { vendorCode, meaning }), isUnknown: false };
}

function signAssertion(account: ServiceAccount, nowMs: number): string {
  const issuedAt = Math.floor(nowMs / 1_000);
  const claims = { iss: account.client_email, scope, aud: account.token_uri, iat: issuedAt, exp: issuedAt + 3_600 };
  const signed = [{ alg: 'RS256', typ: 'JWT' }, claims].map(toBase64Url).join('.');
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(account.private_key, 'base64url')}`;
}

function toBase64Url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
