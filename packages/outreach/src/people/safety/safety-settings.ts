import type { PutSafetyBody, SafetyReply } from '@hushryd/contracts/http/safety';
import type { CodeChannel } from '@hushryd/contracts/person';
import type { FieldCipher } from '@hushryd/platform/crypto/field-cipher';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { OneTimeCodes, SentCode } from '../codes/one-time-codes.ts';
import { changeVersioned, type Decide } from '../versioned/change-versioned.ts';
import { ownPhonePlace } from './read-own-phone.ts';
import type { SafetyDocument, StoredPins } from './safety-store.ts';
import type { PinWork, VerifyPin } from './verify-pin.ts';

export interface SafetySettings {
  /** What was set, or what holds where nothing was. */
  read(userId: string): Promise<SafetyReply>;
  /**
   * What the request leaves out stays. PINs that are there change only with the cancel PIN; with the duress PIN it looks as if they did.
   * @throws AppError `pins_equal`, `pin_invalid`, `pin_locked`, `database_unavailable`
   */
  put(userId: string, wish: PutSafetyBody): Promise<SafetyReply>;
  /** An operator takes both PINs away, where they were forgotten or too many were wrong; the person sets new ones. */
  removePins(userId: string): Promise<void>;
  /** A code to the person's own number. @throws AppError `not_found` (no number), `request_invalid`, and what codes throw */
  sendCode(userId: string, order: { channel: CodeChannel; correlationId?: string }): Promise<SentCode & { to: string }>;
  /** @throws AppError `not_found`, and what codes throw */
  checkCode(userId: string, code: string): Promise<SafetyReply>;
}

const defaultLocale = 'en';

/**
 * What a person sets for an emergency: the PIN that cancels an alert, the one that only seems to, language, and the own number.
 *
 * @throws AppError `database_unavailable` from every function; the same may be asked again
 */
export function createSafetySettings({
  cipher,
  codes,
  verifyPin,
  now = Date.now,
  ...work
}: PinWork & { cipher: FieldCipher; codes: OneTimeCodes; verifyPin: VerifyPin; now?: () => number }): SafetySettings {
  const { store, tries, hasher } = work;
  const phoneOf = (document: SafetyDocument | null): string | null =>
    document?.phone === undefined ? null : cipher.decrypt(document.phone, ownPhonePlace(document._id));

  const toReply = (document: SafetyDocument | null): SafetyReply => ({
    version: document?.version ?? 0,
    locale: document?.locale ?? defaultLocale,
    phone: phoneOf(document),
    isPhoneVerified: document?.isPhoneVerified ?? false,
    hasPins: document?.pins !== undefined,
  });

  const change = async (userId: string, decide: Decide<SafetyDocument>) =>
    toReply(await changeVersioned({ store, id: userId, decide, now }));

  /** The hashes to store, and the salt of those that they were allowed to replace; undefined where nobody asked for others. */
  async function newPins(
    userId: string,
    wish: PutSafetyBody['pins'],
  ): Promise<{ hashes: StoredPins; replaced: string | undefined } | undefined> {
    if (wish === undefined) return undefined;
    if (wish.cancel === wish.duress) throw new AppError('pins_equal');
    const stored = (await store.find(userId))?.pins;
    const verdict = stored === undefined ? 'cancel' : await verifyPin(userId, wish.current ?? '');
    if (verdict === 'locked') throw new AppError('pin_locked');
    if (verdict === 'wrong' || verdict === 'late') throw new AppError('pin_invalid');
    const wished = { ...(await hasher.hash({ userId, ...wish })), setAt: new Date(now()) };
    // Somebody is made to give the PINs away: whoever looks on sees what they expect to see, the wait and the next version among it.
    return { hashes: verdict === 'duress' && stored ? stored : wished, replaced: stored?.salt };
  }

  return {
    read: async (userId) => toReply(await store.find(userId)),

    async put(userId, wish) {
      const pins = await newPins(userId, wish.pins);
      return change(userId, (document) => {
        const before = phoneOf(document);
        const phone = wish.phone === undefined ? before : wish.phone;
        const locale = wish.locale ?? document?.locale ?? defaultLocale;
        const isSame = document !== null && phone === before && locale === document.locale;
        const standing = document?.pins?.salt;
        const isWritten = pins === undefined || (standing === pins.hashes.salt && standing !== pins.replaced);
        if (isSame && isWritten) return undefined;
        // Others were set in between, and nobody showed that they know those.
        if (!isWritten && standing !== pins.replaced) throw new AppError('pin_invalid');
        const kept = pins?.hashes ?? document?.pins;
        return {
          locale,
          ...(phone !== null && { phone: cipher.encrypt(phone, ownPhonePlace(userId)) }),
          isPhoneVerified: phone !== null && phone === before && document?.isPhoneVerified === true,
          ...(kept !== undefined && { pins: kept }),
        };
      });
    },

    async removePins(userId) {
      await change(userId, (document) => {
        if (document?.pins === undefined) return undefined;
        const { pins: _gone, ...rest } = document;
        return rest;
      });
      await tries.giveBack(userId);
    },

    async sendCode(userId, { channel, correlationId }) {
      if (channel === 'email')
        throw new AppError('request_invalid', { detail: 'a code for a number goes to the number' });
      const { phone, locale } = await this.read(userId);
      if (phone === null) throw new AppError('not_found');
      const subject = subjectOf(userId);
      const sent = await codes.send({ userId, subject, channel, to: phone, locale, correlationId });
      return { ...sent, to: phone };
    },

    async checkCode(userId, code) {
      const { phone } = await this.read(userId);
      if (phone === null) throw new AppError('not_found');
      await codes.check({ subject: subjectOf(userId), to: phone, code });
      const reply = await change(userId, (document) => {
        if (document === null || phoneOf(document) !== phone) throw new AppError('code_expired');
        return document.isPhoneVerified ? undefined : { ...document, isPhoneVerified: true };
      });
      await codes.forget(subjectOf(userId));
      return reply;
    },
  };
}

const subjectOf = (userId: string): string => `phone.${userId}`;
