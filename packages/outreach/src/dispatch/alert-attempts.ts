import type { OutboxChannel } from '@hushryd/contracts/http/sos';
import type { CollectionDeclaration } from '@hushryd/platform/mongo/collection-declaration';
import type { ReceiptStatus } from '@hushryd/providers/receipts/receipt';
import type { OutboxRecipient } from '../alerts/trigger-record.ts';
import type { Attempt } from '../delivery/attempt.ts';

export const alertAttemptsCollection: CollectionDeclaration = {
  name: 'alert_attempts',
  indexes: [
    { key: { alertId: 1, startedAtMs: 1 }, name: 'of_alert' },
    // Receipts of vendors that give nothing else back.
    { key: { providerMessageId: 1 }, name: 'provider_message', sparse: true },
  ],
};

/** One attempt to reach somebody about an alert, for ever: an alert holds only what is on its way. Holds no address. */
export type AlertAttemptDocument = Omit<Attempt, 'attemptId'> & {
  /** The attempt's id. */
  _id: string;
  alertId: string;
  entryId: string;
  number: string;
  recipient: OutboxRecipient;
  channel: OutboxChannel;
  /** Who was called, where the entry does not say it. */
  personId?: string;
  /** The newest receipt. */
  status?: ReceiptStatus;
  statusAt?: Date;
};
