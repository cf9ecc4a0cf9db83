import type { CodeChannel, SendCodeReply } from '@hushryd/contracts/person';
import type { SentCode } from '@hushryd/outreach/people/codes/one-time-codes';
import { maskEmail, maskPhone } from '@hushryd/outreach/people/mask-address';

/** A code is on its way, without the number that it goes to. */
export function toCodeReply(
  channel: CodeChannel,
  { to, expiresAtMs, resendAtMs }: SentCode & { to: string },
): SendCodeReply {
  return {
    channel,
    sentTo: channel === 'email' ? maskEmail(to) : maskPhone(to),
    expiresAt: new Date(expiresAtMs).toISOString(),
    resendAt: new Date(resendAtMs).toISOString(),
  };
}
