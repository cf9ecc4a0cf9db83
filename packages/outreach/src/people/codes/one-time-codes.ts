import { randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import type { BlindIndex } from '@hushryd/platform/crypto/blind-index';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { CodeBudgets } from './code-budgets.ts';
import type { ChallengeDocument, ChallengeStore } from './code-challenges.ts';
import { codeLimits } from './code-limits.ts';
import type { OtpMessage, SendOtp } from './send-otp.ts';

export interface SentCode {
  expiresAtMs: number;
  resendAtMs: number;
}

export interface OneTimeCodes {
  /**
   * Make a code and have it carried; the one before for the same `subject` is void.
   * @param subject what it proves, without any number
   * @throws AppError `code_limit` (too soon, or too many for this person or to this number), `code_not_sent`, `database_unavailable`
   */
  send(order: Omit<OtpMessage, 'code'> & { userId: string; subject: string }): Promise<SentCode>;
  /**
   * Whether this is the code that was sent to `to` last. The try is taken before anything is compared.
   * @throws AppError `code_invalid`, `code_locked` (five wrong ones), `code_expired` (too late, used, none, or sent elsewhere),
   *   `database_unavailable`
   */
  check(answer: { subject: string; to: string; code: string }): Promise<void>;
  /** What it proved is written down: it proves nothing more. */
  forget(subject: string): Promise<void>;
}

/**
 * Six digits that prove that somebody reads what is sent to a number or an email. They are kept as an HMAC by a key that is not in the
 * database: whoever reads it cannot try out the million there are.
 *
 * Cost: of sending one read and three majority writes, of checking one.
 */
export function createOneTimeCodes({
  challenges,
  budgets,
  blindIndex,
  sendOtp,
  now = Date.now,
}: {
  challenges: ChallengeStore;
  budgets: CodeBudgets;
  blindIndex: BlindIndex;
  sendOtp: SendOtp;
  now?: () => number;
}): OneTimeCodes {
  const hashOf = (nonce: string, code: string) => blindIndex('one_time_codes.hash', `${nonce}.${code}`);
  const targetOf = (to: string) => blindIndex('one_time_codes.target', to);

  return {
    async send({ userId, subject, ...message }) {
      const nowMs = now();
      const target = targetOf(message.to);
      // Before anything is counted or made void; the replacement below asks again, for those who come together.
      refuseIfSoon(await challenges.find(subject), nowMs);
      if (!(await budgets.take([`user.${userId}`, `to.${target}`], new Date(nowMs)))) {
        throw new AppError('code_limit', { retryAfterMs: 3_600_000 });
      }

      const [nonce, code] = [randomBytes(12).toString('base64url'), makeCode()];
      const expiresAtMs = nowMs + codeLimits.lifeMs;
      const standing = await challenges.replace(
        {
          _id: subject,
          target,
          nonce,
          hash: hashOf(nonce, code),
          triesLeft: codeLimits.tries,
          sentAt: new Date(nowMs),
          expiresAt: new Date(expiresAtMs),
        },
        new Date(nowMs - codeLimits.resendAfterMs),
      );
      if (standing !== 'replaced') refuseIfSoon(standing, nowMs);
      try {
        await sendOtp({ ...message, code });
      } catch (cause) {
        // Nobody has it, so nobody has to wait before asking again. What limits the cost counts it all the same.
        await challenges.forget(subject, nonce).catch(() => undefined);
        if (cause instanceof AppError && cause.code === 'code_not_sent') throw cause;
        throw new AppError('code_not_sent', { cause });
      }
      return { expiresAtMs, resendAtMs: nowMs + codeLimits.resendAfterMs };
    },

    async check({ subject, to, code }) {
      const target = targetOf(to);
      const taken = await challenges.takeTry(subject, target, new Date(now()));
      if (taken === null) {
        const standing = await challenges.find(subject);
        const isLocked = standing?.target === target && standing.triesLeft <= 0 && standing.expiresAt.getTime() > now();
        throw new AppError(isLocked ? 'code_locked' : 'code_expired');
      }
      const isRight = timingSafeEqual(Buffer.from(hashOf(taken.nonce, code)), Buffer.from(taken.hash));
      if (!isRight) throw new AppError('code_invalid');
    },

    forget: (subject) => challenges.forget(subject),
  };
}

function refuseIfSoon(standing: ChallengeDocument | null, nowMs: number): void {
  const waitMs = (standing?.sentAt.getTime() ?? 0) + codeLimits.resendAfterMs - nowMs;
  if (waitMs > 0) throw new AppError('code_limit', { retryAfterMs: waitMs });
}

/** Every one of the million equally often. */
const makeCode = (): string => String(randomInt(1_000_000)).padStart(6, '0');
