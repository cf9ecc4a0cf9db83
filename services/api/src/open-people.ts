import { createCacheEntries } from '@hushryd/outreach/people/cache/cache-entries';
import { createCodeBudgets } from '@hushryd/outreach/people/codes/code-budgets';
import { createChallengeStore } from '@hushryd/outreach/people/codes/code-challenges';
import { codeLimits } from '@hushryd/outreach/people/codes/code-limits';
import { createOneTimeCodes, type OneTimeCodes } from '@hushryd/outreach/people/codes/one-time-codes';
import { refuseOtp, type SendOtp } from '@hushryd/outreach/people/codes/send-otp';
import { type ContactBook, createContactBook } from '@hushryd/outreach/people/contacts/contact-book';
import { createContactSeal } from '@hushryd/outreach/people/contacts/contact-seal';
import { createContactStore } from '@hushryd/outreach/people/contacts/contact-store';
import { createOutreachLists, type OutreachLists } from '@hushryd/outreach/people/contacts/outreach-lists';
import { createDeviceStore, type DeviceStore } from '@hushryd/outreach/people/devices/device-store';
import {
  createPersonSeal,
  onCallCollection,
  type PersonSeal,
  type RotaDocument,
} from '@hushryd/outreach/people/on-call/on-call-document';
import { createOnCallReader, type OnCallReader } from '@hushryd/outreach/people/on-call/on-call-reader';
import { createOnCallRota, type OnCallRota } from '@hushryd/outreach/people/on-call/on-call-rota';
import { createPinHasher } from '@hushryd/outreach/people/safety/pin-hashes';
import { createPinTries } from '@hushryd/outreach/people/safety/pin-tries';
import { createSafetySettings, type SafetySettings } from '@hushryd/outreach/people/safety/safety-settings';
import { createSafetyStore } from '@hushryd/outreach/people/safety/safety-store';
import { createVerifyPin, type VerifyPin } from '@hushryd/outreach/people/safety/verify-pin';
import { createVersionedStore } from '@hushryd/outreach/people/versioned/versioned-store';
import { createBlindIndex } from '@hushryd/platform/crypto/blind-index';
import { createFieldCipher } from '@hushryd/platform/crypto/field-cipher';
import type { FieldKeys } from '@hushryd/platform/crypto/field-keys';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import type { Db } from 'mongodb';

/** What is known of people for an emergency. */
export interface PeopleParts {
  codes: OneTimeCodes;
  book: ContactBook;
  outreachLists: OutreachLists;
  safety: SafetySettings;
  verifyPin: VerifyPin;
  devices: DeviceStore;
  onCall: OnCallRota;
  onCallReader: OnCallReader;
  personSeal: PersonSeal;
}

/** Contacts, safety settings, devices and the rota over these stores. Opens nothing of its own. */
export function openPeople({
  db,
  redis,
  keys,
  fieldKeys,
  deadlineMs,
  sendOtp,
  now,
  log,
}: {
  db: Db;
  redis: RedisClient;
  keys: Keys;
  fieldKeys: FieldKeys;
  deadlineMs: number;
  sendOtp: SendOtp | undefined;
  /** The database's clock, by which somebody is on call. */
  now: () => number;
  log: Logger;
}): PeopleParts {
  const cipher = createFieldCipher(fieldKeys);
  const blindIndex = createBlindIndex(fieldKeys);
  const entries = createCacheEntries({ redis });
  const codes = createOneTimeCodes({
    challenges: createChallengeStore({ db, deadlineMs }),
    budgets: createCodeBudgets({ db, deadlineMs, limits: codeLimits }),
    blindIndex,
    sendOtp: sendOtp ?? refuseOtp(log),
  });

  const contacts = createContactStore({ db, deadlineMs });
  const outreachLists = createOutreachLists({ store: contacts, entries, keys, log });
  const book = createContactBook({ store: contacts, seal: createContactSeal(cipher), copies: outreachLists });

  const pinWork = {
    store: createSafetyStore({ db, deadlineMs }),
    tries: createPinTries({ db, deadlineMs }),
    hasher: createPinHasher({ blindIndex }),
  };
  const verifyPin = createVerifyPin(pinWork);
  const safety = createSafetySettings({ ...pinWork, cipher, codes, verifyPin });

  const personSeal = createPersonSeal(cipher);
  const rota = createVersionedStore<RotaDocument>({ db, name: onCallCollection.name, deadlineMs });
  const onCallReader = createOnCallReader({ store: rota, seal: personSeal, entries, keys, log });
  const onCall = createOnCallRota({ store: rota, seal: personSeal, copies: onCallReader, now });

  const devices = createDeviceStore({ db, cipher, blindIndex, deadlineMs });
  return { codes, book, outreachLists, safety, verifyPin, devices, onCall, onCallReader, personSeal };
}
