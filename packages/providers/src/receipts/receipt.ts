import type { ErrorClass, ProviderName } from '../provider.ts';

/**
 * How far a message or call has come. Texts and mails: `accepted` (the vendor has it) → `sent` (the network has it) → `delivered` →
 * `read`; or `failed`. Calls: `accepted` → `ringing` → `answered` (a person or a machine took it) → `completed`; or `busy`, `no-answer`,
 * `failed`. Keys pressed come as `answered` with `digits`.
 */
export type ReceiptStatus =
  | 'accepted'
  | 'sent'
  | 'delivered'
  | 'read'
  | 'ringing'
  | 'answered'
  | 'completed'
  | 'busy'
  | 'no-answer'
  | 'failed';

/** One fact from a vendor, the same in all of them. Holds no address and no text. */
export interface Receipt {
  readonly provider: ProviderName;
  readonly providerMessageId: string;
  /** Where the vendor gave back what can be proved to be ours. */
  readonly attemptId?: string;
  readonly status: ReceiptStatus;
  /** By the vendor's clock where it tells, else when it came; epoch milliseconds. */
  readonly atMs: number;
  /** The same for every copy of the same fact, however often the vendor repeats it. */
  readonly eventId: string;
  readonly vendorCode?: string;
  /** With `failed`: what to do next. */
  readonly errorClass?: ErrorClass;
  /** Keys that the person pressed. */
  readonly digits?: string;
}

/** A request as the web server got it. */
export interface WebhookRequest {
  readonly method: string;
  /** As the vendor knows it: behind a proxy made from configuration, with the query as it came, byte for byte. */
  readonly url: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Before any parsing: signatures are over bytes. */
  readonly rawBody: Buffer;
}

export type RefusalReason = 'signature-missing' | 'signature-wrong' | 'stale' | 'malformed';

export type WebhookVerdict =
  | {
      readonly kind: 'verified';
      readonly receipts: readonly Receipt[];
      /** Somebody on the phone has pressed keys and waits for an answer: see answer-keys. Otherwise an empty 204 is right. */
      readonly pressed?: PressedKeys;
    }
  | { readonly kind: 'refused'; readonly reason: RefusalReason };

export interface PressedKeys {
  readonly digits: string;
  /** Which time they were asked for in this call, from 1; always 1 where the vendor does not tell. */
  readonly timesAsked: number;
  /** BCP 47: what the call speaks. */
  readonly language: string;
}

export interface VerifyOptions {
  /** The current secret, and the previous one while it is rotated. */
  readonly keys: readonly string[];
  readonly nowMs: number;
}

/** Older or newer than this by the vendor's own timestamp is a replay or a forgery. Source: reliability §5. */
export const signatureWindowMs = 300_000;

export function refused(reason: RefusalReason): WebhookVerdict {
  return { kind: 'refused', reason };
}

/** A header that came once; a repeated one is nobody's honest request. */
export function headerOf(request: WebhookRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** @param timestampSeconds as the vendor wrote it; what is no number is stale */
export function isStale(timestampSeconds: string | undefined, nowMs: number): boolean {
  const atMs = Number(timestampSeconds) * 1_000;
  return !timestampSeconds || Number.isNaN(atMs) || Math.abs(nowMs - atMs) > signatureWindowMs;
}
