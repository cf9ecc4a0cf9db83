import type { ProviderName } from '../provider.ts';
import { isMacOfAttempt, macOfAttempt } from './attempt-mac.ts';
import { readUrl } from './read-fields.ts';

/** What stands for the attempt in addresses that are typed into a vendor's panel once and serve every message. */
export const accountAttempt = 'account';

/** Of calls: where the vendor says what became of it, where pressed keys go, and where a flow asks what to say. */
export type WebhookPurpose = 'receipts' | 'digits' | 'prompt';

/**
 * The address for a vendor's requests about one attempt: `BASE/PROVIDER/ATTEMPT/MAC` and, for a call's keys and words, `/digits` or
 * `/prompt` after it.
 *
 * @param baseUrl public, without a slash at its end: `https://api.example/v1/webhooks`
 * @param attemptId of the message, or `accountAttempt`
 */
export function webhookAddress({
  baseUrl,
  provider,
  attemptId,
  key,
  purpose = 'receipts',
}: {
  baseUrl: string;
  provider: ProviderName;
  attemptId: string;
  key: string;
  purpose?: WebhookPurpose;
}): string {
  const path = `${baseUrl}/${provider}/${attemptId}/${macOfAttempt({ provider, attemptId, key })}`;
  return purpose === 'receipts' ? path : `${path}/${purpose}`;
}

/**
 * Whose request this is, by its address.
 *
 * @returns the attempt, or `accountAttempt`; undefined where the MAC is not ours
 */
export function readWebhookAddress({
  url,
  provider,
  keys,
}: {
  url: string;
  provider: ProviderName;
  keys: readonly string[];
}): string | undefined {
  const segments = readUrl(url)?.pathname.split('/') ?? [];
  // The base address may hold the provider's name too, and so may an attempt.
  const start = segments.findIndex(
    (segment, index) =>
      segment === provider &&
      isMacOfAttempt({ provider, attemptId: segments[index + 1] ?? '', mac: segments[index + 2] ?? '', keys }),
  );
  return start === -1 ? undefined : segments[start + 1];
}
