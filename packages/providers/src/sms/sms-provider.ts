import type { Provider } from '../provider.ts';

export interface SmsMessage {
  /** E.164: `+919876543210`. */
  readonly to: string;
  /** As the person reads it. Vendors that send registered templates only take `dlt` instead. */
  readonly text: string;
  /** The template registered with the Indian operators (DLT), by the id that the vendor gave it, and what fills it. */
  readonly dlt?: { readonly templateId: string; readonly variables: Readonly<Record<string, string>> };
}

export type SmsProvider = Provider<SmsMessage>;
