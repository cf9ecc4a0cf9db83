import type { Refusal } from './call-observer.ts';
import type { SandboxCredentials } from './credentials.ts';
import type { FaultPlan } from './fault-plan.ts';
import type { MessageStore } from './message-store.ts';
import type { Phones } from './phones.ts';
import type { CallCounts } from './play-call.ts';
import type { ReceiptCounts } from './receipt-sender.ts';

export interface SandboxStats {
  readonly providers: Readonly<Record<string, CallCounts>>;
  readonly receipts: ReceiptCounts;
  readonly messages: { readonly kept: number; readonly dropped: number; readonly lastSeq: number };
  readonly observer: {
    readonly asked: number;
    readonly refused: number;
    readonly refusals: readonly Refusal[];
  };
}

export interface Sandbox {
  /** `http://127.0.0.1:PORT`: the inbox. */
  readonly url: string;
  readonly port: number;
  readonly credentials: SandboxCredentials;
  /** With which a service finds every company here. */
  readonly environment: Readonly<Record<string, string>>;
  readonly messages: MessageStore;
  readonly faults: FaultPlan;
  readonly phones: Phones;
  sendWebhooksTo(baseUrl: string): void;
  revokeGoogleTokens(): void;
  /** Forgets messages, faults, counts and what is on its way; credentials stay. */
  reset(): void;
  stats(): SandboxStats;
  close(): Promise<void>;
}
