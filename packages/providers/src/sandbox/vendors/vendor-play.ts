import type { Channel, ProviderName } from '../../provider.ts';
import type { Fault } from '../fault-plan.ts';
import type { MessageContent, PlayedMessage } from '../message-store.ts';

/** A call of a vendor's API, as it came. */
export interface VendorCall {
  readonly method: string;
  /** Below the vendor's own base address. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface VendorAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a call asks for. */
export interface Order {
  readonly id: string;
  readonly recipient: string;
  readonly attemptId: string | undefined;
  readonly content: MessageContent;
  /** Where this one's receipts go, for vendors that take an address with each message. */
  readonly receiptUrl?: string;
  /** Of a call. */
  readonly voice?: { readonly ringSeconds: number; readonly script: string };
  /** What the vendor gives back as it came. */
  readonly echo?: string;
}

/** What happens to a message, in a vendor's own words only where `receipt` writes it. */
export type PlayedEvent =
  | 'accepted'
  | 'sent'
  | 'delivered'
  | 'undelivered'
  | 'read'
  | 'ringing'
  | 'answered'
  | 'completed'
  | 'busy'
  | 'no-answer';

/** A request of the vendor to us. */
export interface OutgoingRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What a call does once somebody took it. */
export interface VoiceTurn {
  readonly said: readonly string[];
  /** Keys are waited for. */
  readonly canPress: boolean;
}

/** How one company behaves on one channel, as its documentation says. */
export interface VendorPlay {
  readonly provider: ProviderName;
  readonly channel: Channel;
  /** Whether this call is for it. */
  matches(call: VendorCall): boolean;
  isGenuine(call: VendorCall): boolean;
  /** The order, or why it is refused. */
  read(call: VendorCall): Order | VendorAnswer;
  accept(order: Order): VendorAnswer;
  /** Its documented answers to trouble. */
  refuse(mode: RefusalMode, fault: Pick<Fault, 'retryAfterSeconds'>): VendorAnswer;
  /** @returns undefined where the vendor tells nothing of this event, or knows no address to tell it to */
  receipt?(input: ReceiptInput): OutgoingRequest | undefined;
  /** Somebody took the call. */
  answerCall?(input: CallInput): Promise<VoiceTurn>;
  pressKeys?(input: CallInput & { digits: string }): Promise<VoiceTurn>;
}

export type RefusalMode = '500' | '429' | 'auth' | 'invalid-recipient' | 'error-in-200';

export interface ReceiptInput {
  readonly message: PlayedMessage;
  readonly order: Order;
  readonly event: PlayedEvent;
  /** Where the vendor's settings say that receipts go. */
  readonly accountUrl: string | undefined;
  readonly nowMs: number;
}

/** What we answered. */
export interface Answered {
  readonly status: number;
  readonly text: string;
}

export interface CallInput {
  readonly message: PlayedMessage;
  readonly order: Order;
  /** Of a vendor whose flow asks one address for all calls. */
  readonly flowUrls: { readonly prompt: string | undefined; readonly digits: string | undefined };
  /** Ask us something. @returns undefined where no answer came */
  ask(request: OutgoingRequest): Promise<Answered | undefined>;
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): VendorAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

export function isAnswer(value: Order | VendorAnswer): value is VendorAnswer {
  return 'status' in value;
}

export function basicCredentials(call: VendorCall): { username: string; password: string } {
  const header = call.headers.authorization;
  const encoded = typeof header === 'string' && header.startsWith('Basic ') ? header.slice(6) : '';
  const [username = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return { username, password: rest.join(':') };
}

export function bearerToken(call: VendorCall): string | undefined {
  const header = call.headers.authorization;
  return typeof header === 'string' && header.startsWith('Bearer ') ? header.slice(7) : undefined;
}

/** The attempt in an address of ours: `…/PROVIDER/ATTEMPT/MAC`. */
export function attemptInAddress(url: string | undefined): string | undefined {
  return url === undefined ? undefined : url.split('?')[0]?.split('/').at(-2);
}

/** Twilio's magic number for an invalid recipient; the other played companies know it too. */
export const invalidNumber = '+15005550001';

export function isPhoneNumber(text: string): boolean {
  return /^\+[1-9]\d{7,14}$/.test(text);
}
