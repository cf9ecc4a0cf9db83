import { randomBytes, verify } from 'node:crypto';
import { readJson, textAt } from '../../http/read-json.ts';
import type { SandboxCredentials } from '../credentials.ts';
import { json, type VendorAnswer, type VendorCall } from './vendor-play.ts';

export interface GoogleTokens {
  /** The token endpoint. */
  answer(call: VendorCall, audience: string): VendorAnswer;
  isValid(token: string | undefined): boolean;
  /** Every token that is out: Google may end them early. */
  revokeAll(): void;
}

const maxTokens = 100;
const refuse = (description: string) => json(400, { error: 'invalid_grant', error_description: description });

/** Exchanges a service account's signed assertion for an access token of an hour (RFC 7523), and checks all of it. */
export function createGoogleTokens({ clientEmail, publicKey }: SandboxCredentials['fcm']): GoogleTokens {
  const expiresAtMs = new Map<string, number>();
  return {
    answer(call, audience) {
      const form = new URLSearchParams(call.body);
      if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') {
        return json(400, { error: 'unsupported_grant_type' });
      }
      const [header = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.');
      const isSigned = verify(
        'RSA-SHA256',
        Buffer.from(`${header}.${claims}`),
        publicKey,
        Buffer.from(signature, 'base64url'),
      );
      if (!isSigned || textAt(readPart(header), 'alg') !== 'RS256') return refuse('Invalid JWT Signature.');
      const body = readPart(claims);
      if (textAt(body, 'iss') !== clientEmail) return refuse('Invalid grant: account not found');
      if (textAt(body, 'aud') !== audience) return refuse('Invalid JWT: Failed audience check.');
      const issuedAt = Number(textAt(body, 'iat'));
      const expiresAt = Number(textAt(body, 'exp'));
      const now = Date.now() / 1_000;
      if (!(issuedAt <= now + 60 && expiresAt > now && expiresAt - issuedAt <= 3_600)) {
        return refuse('Invalid JWT: Token must be a short-lived token and in a reasonable timeframe.');
      }
      const token = `ya29.${randomBytes(48).toString('base64url')}`;
      const [oldest] = expiresAtMs.keys();
      if (expiresAtMs.size >= maxTokens && oldest !== undefined) expiresAtMs.delete(oldest);
      expiresAtMs.set(token, Date.now() + 3_599_000);
      return json(200, { access_token: token, expires_in: 3_599, token_type: 'Bearer' });
    },
    isValid: (token) => token !== undefined && (expiresAtMs.get(token) ?? 0) > Date.now(),
    revokeAll: () => expiresAtMs.clear(),
  };
}

function readPart(part: string) {
  return readJson(Buffer.from(part, 'base64url').toString('utf8'));
}
