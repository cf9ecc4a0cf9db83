/** A way to reach a person, or the people on duty. */
export type Channel = 'sms' | 'whatsapp' | 'email' | 'push' | 'voice' | 'incident';

/** Each company once a channel: in configuration, metrics, receipts and the sandbox. */
export type ProviderName =
  | 'twilio-sms'
  | 'msg91'
  | 'whatsapp-cloud'
  | 'sendgrid'
  | 'mailgun'
  | 'fcm'
  | 'twilio-voice'
  | 'exotel'
  | 'pagerduty';

export const channelOf = {
  'twilio-sms': 'sms',
  msg91: 'sms',
  'whatsapp-cloud': 'whatsapp',
  sendgrid: 'email',
  mailgun: 'email',
  fcm: 'push',
  'twilio-voice': 'voice',
  exotel: 'voice',
  pagerduty: 'incident',
} as const satisfies Record<ProviderName, Channel>;

export interface SendContext {
  /**
   * Names this attempt, `alert-contact-channel-attempt`: of `A–Z a–z 0–9 . _ ~ -`, at most 128. It goes to every vendor that gives it back,
   * and so stands in receipts. None of these vendors refuses a second message with the same one: an attempt that is made twice may be
   * delivered twice.
   */
  readonly attemptId: string;
  /** Where vendors that take an address with each message post its receipts: see receipts/webhook-addresses. The others have one in their settings. */
  readonly receiptUrl?: string | undefined;
  /**
   * Under which id what caused the message is found in our logs: every vendor gets it as `X-Request-ID`, and may show it in its own. Source:
   * requirement P-32.
   */
  readonly correlationId?: string | undefined;
  /** Whoever waits no longer. What was on its way may arrive all the same. */
  readonly signal?: AbortSignal | undefined;
  /** For everything, answer included. Default 3000. */
  readonly deadlineMs?: number | undefined;
}

/** The vendor has taken it. Only a receipt says delivered, only a person says acknowledged. */
export interface Accepted {
  readonly kind: 'accepted';
  readonly providerMessageId: string;
}

/**
 * What to do next. `retry`: the same provider may do it later. `next`: this one cannot, another may. `give-up`: nobody can, since the
 * recipient is wrong or wants no messages.
 */
export type ErrorClass = 'retry' | 'next' | 'give-up';

/** A small set, fit for a metric's label. */
export type FailureReason =
  | 'timeout'
  | 'aborted'
  | 'network'
  | 'certificate'
  | 'rate-limited'
  | 'vendor-error'
  | 'answer-malformed'
  | 'unauthorised'
  | 'suspended'
  | 'misconfigured'
  | 'unsupported'
  | 'recipient-invalid'
  | 'recipient-unsubscribed'
  | 'token-dead';

/** Never holds an address, a body or the vendor's own sentence: those quote what was sent. */
export interface SendFailure {
  readonly kind: 'failed';
  readonly errorClass: ErrorClass;
  readonly reason: FailureReason;
  /** True where the vendor may have taken it: no answer came, or none that can be read. */
  readonly isUnknown: boolean;
  readonly httpStatus?: number;
  /** The vendor's own code: `21211`, `UNREGISTERED`, `ECONNREFUSED`. */
  readonly vendorCode?: string;
  /** The vendor asks for this pause. */
  readonly retryAfterMs?: number;
}

export type SendOutcome = Accepted | SendFailure;

/**
 * One company on one channel.
 *
 * `send` makes one attempt: what to do about a failure is for whoever calls it to decide. It never rejects for anything a vendor or the
 * network does; a rejection is a mistake of ours.
 */
export interface Provider<Message> {
  readonly name: ProviderName;
  readonly channel: Channel;
  send(message: Message, context: SendContext): Promise<SendOutcome>;
}

export function failed(errorClass: ErrorClass, reason: FailureReason, more: Partial<SendFailure> = {}): SendFailure {
  return { kind: 'failed', errorClass, reason, isUnknown: false, ...more };
}

export function accepted(providerMessageId: string): Accepted {
  return { kind: 'accepted', providerMessageId };
}

export const defaultDeadlineMs = 3_000;
