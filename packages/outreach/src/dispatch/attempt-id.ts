import { createHash } from 'node:crypto';

/** What a provider gives back in receipts: alert, entry, attempt. At most 75 characters. */
export const alertAttemptId = ({ alertId, entryId, number }: AlertAttempt & { entryId: string }): string =>
  `sos.${alertId}.${entryCode(entryId)}.${number}`;

export interface AlertAttempt {
  alertId: string;
  /** The fence it was made under, and which one of that time. */
  number: string;
}

/** @returns undefined for attempts that are not of an alert */
export function readAlertAttemptId(attemptId: string): (AlertAttempt & { code: string }) | undefined {
  const match = /^sos\.([\w-]{1,64})\.([0-9a-f]{12})\.(\d{1,9}-\d{1,4})$/.exec(attemptId);
  const [, alertId, code, number] = match ?? [];
  return alertId === undefined || code === undefined || number === undefined ? undefined : { alertId, code, number };
}

/** An entry's name may be longer than what fits. Two entries of one alert with the same code: 1 in 10¹¹. */
export const entryCode = (entryId: string): string => createHash('sha256').update(entryId).digest('hex').slice(0, 12);
