import type { Provider } from '../provider.ts';

export interface VoiceMessage {
  /** E.164: `+919876543210`. */
  readonly to: string;
  /** What is read out, then again after a silence. */
  readonly sayText: string;
  /** BCP 47: `en-IN`, `hi-IN`. */
  readonly language: string;
  /** What keys the person may press; without it the call only speaks. */
  readonly gather?: {
    /** Where the keys are posted: see receipts/webhook-addresses. Vendors that play a flow made in their panel have the address there. */
    readonly digitsUrl: string;
    readonly maxDigits: number;
  };
  /** How long it rings. Default 30. */
  readonly ringSeconds?: number;
}

export type VoiceProvider = Provider<VoiceMessage>;
