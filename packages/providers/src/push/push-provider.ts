import type { Provider } from '../provider.ts';

export interface PushMessage {
  /** Of one app on one phone, as FCM gave it. */
  readonly token: string;
  readonly title: string;
  readonly body: string;
  /** For the app: text only, no key that FCM keeps to itself (`from`, `message_type`, `google…`, `gcm…`). */
  readonly data: Readonly<Record<string, string>>;
  /** After this it is of no use any more. Default 3600. */
  readonly ttlSeconds?: number;
  /** Wakes the phone and breaks through its quiet; for alerts. Default false. */
  readonly isUrgent?: boolean;
  /** A later one of the same key replaces an earlier that was not shown yet. At most 64 bytes, Apple's limit. */
  readonly collapseKey?: string;
}

export type PushProvider = Provider<PushMessage>;
