import type { CodeChannel } from '@hushryd/contracts/person';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';

/** A one-time code on its way to a phone or an email. */
export interface OtpMessage {
  channel: CodeChannel;
  /** E.164 number, or email. */
  to: string;
  /** Six digits. */
  code: string;
  locale: string;
  /** Of the request that wants it sent. */
  correlationId?: string | undefined;
  /** It goes to somebody whom a person names as emergency contact, and says so. */
  invitation?: Invitation | undefined;
}

/** `from` is the person's own verified number, by which a contact knows who it is; absent where there is none. */
export interface Invitation {
  from?: string | undefined;
}

/** Carries a code. Resolves when it is recorded to be sent. @throws what says that it is not */
export type SendOtp = (message: OtpMessage) => Promise<unknown>;

/** Where no provider is configured: says so, and neither where to nor what. */
export function refuseOtp(log: Logger): SendOtp {
  return async ({ channel }) => {
    log.debug({ channel }, 'no provider for one-time codes is configured');
    throw new AppError('code_not_sent', { detail: 'no provider is configured', retryable: false });
  };
}
