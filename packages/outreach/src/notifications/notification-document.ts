import type {
  notificationChannels,
  notificationClasses,
  notificationStates,
} from '@hushryd/contracts/http/notifications';
import type { SealedText } from '@hushryd/platform/crypto/field-cipher';
import type { ErrorClass } from '@hushryd/providers/provider';
import type { ReceiptStatus } from '@hushryd/providers/receipts/receipt';
import type { Attempt } from '../delivery/attempt.ts';
import type { TemplateName } from './templates/all-templates.ts';
import type { Locale } from './templates/template.ts';

export type NotificationChannel = (typeof notificationChannels)[number];

/** critical: payment confirmations; high: one-time codes, then ride notices; normal: mail and reports; low: bulk. */
export type NotificationClass = (typeof notificationClasses)[number];

/** The queue it goes through. One-time codes are of class high, and overtake its other messages in a lane of their own. */
export const notificationLanes = ['critical', 'otp', 'high', 'normal', 'low'] as const;
export type NotificationLane = (typeof notificationLanes)[number];

export type NotificationState = (typeof notificationStates)[number];

/** Why one ended without being delivered. */
export type EndReason =
  | 'give-up'
  | 'exhausted'
  | 'no-provider'
  | 'expired'
  | 'poison'
  | 'not-answered'
  | 'channel_off'
  | 'quiet_hours';

export interface StoredReceipt {
  readonly status: ReceiptStatus;
  readonly at: Date;
  readonly errorClass?: ErrorClass;
  readonly vendorCode?: string;
}

/** `number` names it within the record: how often it was taken up, and which attempt of that time. */
export type StoredAttempt = Attempt & { readonly number: string };

/** One message to one address over one channel, as the collection `notifications` holds it. */
export interface NotificationDocument {
  /** Made of the caller's idempotency key: a second request is the same record. */
  _id: string;
  personId?: string;
  template: TemplateName;
  locale: Locale;
  class: NotificationClass;
  lane: NotificationLane;
  channel: NotificationChannel;
  /** Address and variables, see sealed-words.ts; nothing else of the record is personal. */
  sealed: SealedText;
  state: NotificationState;
  reason?: EndReason;
  createdAt: Date;
  /** Of no use after this. */
  expiresAt: Date;
  /** When somebody has to look at it; absent once it has ended. */
  nextAt?: Date;
  /** There as long as `nextAt` is: what the sweepers' index holds. */
  isOpen?: true;
  /** Whoever took it up has it alone until then. */
  leaseUntil: Date;
  /** Of that: a name that nobody else has. */
  claim?: string;
  /** Rises each time it is taken up; who holds an older one has lost it. */
  fence: number;
  /** Times it was taken up since anything came of it. */
  starts: number;
  attempts: StoredAttempt[];
  /** Of this round are the attempts from there on: a round tries every provider. */
  round: number;
  roundFrom: number;
  /** By the attempt's number. A receipt may be here before its attempt is. */
  receipts: Record<string, StoredReceipt>;
  receiptCount: number;
  endedAt?: Date;
  deliveredAt?: Date;
  correlationId?: string;
  purgeAt: Date;
}

/** What a provider gives back in receipts: `ntf.RECORD.NUMBER`. */
export const attemptIdOf = (recordId: string, number: string): string => `ntf.${recordId}.${number}`;

/** @returns undefined for attempts that are not of a notification */
export function readAttemptId(attemptId: string): { recordId: string; number: string } | undefined {
  const [, recordId, number] = /^ntf\.([\w-]{1,64})\.(\d{1,9}-\d{1,4})$/.exec(attemptId) ?? [];
  return recordId === undefined || number === undefined ? undefined : { recordId, number };
}
