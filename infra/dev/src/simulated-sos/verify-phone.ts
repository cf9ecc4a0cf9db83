import { randomInt } from 'node:crypto';
import type { HttpClient } from '@hushryd/sdk/http/http-client';
import { readCode } from './read-code.ts';

const withinMs = 10_000;

/**
 * Give a rider a number of their own and prove it, as their app would: the code arrives in the inbox and is typed in. So an operator can
 * have the rider called.
 *
 * @throws HttpProblem, Error where no code arrived
 */
export async function verifyPhone({
  rider,
  inboxUrl,
}: {
  rider: Pick<HttpClient, 'putSafety' | 'sendSafetyCode' | 'checkSafetyCode'>;
  inboxUrl: string;
}): Promise<void> {
  // Also kept for stories; many of them, since a number gets only so many codes an hour.
  const phone = `+1${randomInt(201, 989)}55501${randomInt(50, 99)}`;
  await rider.putSafety({ phone });
  const [, code] = await Promise.all([rider.sendSafetyCode('sms'), readCode({ inboxUrl, phone, withinMs })]);
  await rider.checkSafetyCode({ channel: 'sms', code });
}
