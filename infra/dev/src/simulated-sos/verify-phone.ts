import { randomInt } from 'node:crypto';
import type { HttpClient } from '@hushryd/sdk/http/http-client';

const waitMs = 10_000;

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
  const [, message] = await Promise.all([
    rider.sendSafetyCode('sms'),
    fetch(`${inboxUrl}/sandbox/messages/next?recipient=${encodeURIComponent(phone)}&timeoutMs=${waitMs}`, {
      signal: AbortSignal.timeout(waitMs + 1_000),
    }),
  ]);
  if (message.status !== 200) throw new Error('no code arrived');
  const { content } = (await message.json()) as { content: { text?: string } };
  const [code] = /\d{6}/.exec(content.text ?? '') ?? [];
  if (code === undefined) throw new Error('the message has no code in it');
  await rider.checkSafetyCode({ channel: 'sms', code });
}
