import { setTimeout as sleep } from 'node:timers/promises';
import type { Role } from '@hushryd/platform/auth/claims';
import type { GetToken } from '@hushryd/sdk/http/get-token';
import type { TokenReply } from '../issuer/issue-token.ts';

const renewBeforeMs = 90_000;
const tries = 5;

/** Tokens of the development issuer (`POST /dev/token` with the fleet's secret). */
export function createTokenSource(input: { issuerUrl: string; fleetSecret: string; now?: () => number }) {
  const { issuerUrl, fleetSecret, now = Date.now } = input;

  return (who: { userId: string; role: Role }): GetToken => {
    let current: { token: string; expiresAtMs: number } | undefined;
    let asking: Promise<string> | undefined;
    const ask = async () => {
      const reply = await request({ url: `${issuerUrl}/dev/token`, fleetSecret, who });
      current = { token: reply.token, expiresAtMs: Date.parse(reply.expiresAt) };
      return reply.token;
    };
    return ({ refused }) => {
      if (current?.token === refused) current = undefined;
      if (current && current.expiresAtMs - now() > renewBeforeMs) return current.token;
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      return asking;
    };
  };
}

/** @throws Error when the issuer refuses, or does not answer five times in a row */
async function request(input: { url: string; fleetSecret: string; who: object }): Promise<TokenReply> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await fetch(input.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${input.fleetSecret}` },
        body: JSON.stringify(input.who),
        signal: AbortSignal.timeout(10_000),
      });
      if (response.ok) return (await response.json()) as TokenReply;
      throw new Error(`the issuer answered ${response.status}`);
    } catch (error) {
      if (attempt === tries) throw error;
      await sleep(200 * 2 ** attempt);
    }
  }
}
