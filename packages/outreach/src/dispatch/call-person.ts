import { randomUUID } from 'node:crypto';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { AlertDocument } from '../alerts/alert-document.ts';
import { type AlertOrder, type AlertWork, changeAlert } from '../alerts/change-alert.ts';

/**
 * An operator has the person called who raised the alert, on the own verified number, which nobody gets to see. The same `callId` again
 * changes nothing.
 *
 * @throws AppError `sos_phone_unknown` (there is no verified number), `not_found`, `database_unavailable`
 */
export async function callPerson(
  work: AlertWork & { readOwnPhone: (userId: string) => Promise<{ phone: string } | undefined> },
  { callId, ...order }: AlertOrder & { callId?: string | undefined },
): Promise<AlertDocument> {
  const known = await work.store.find(order.alertId);
  if (known === null) throw new AppError('not_found');
  order.authorise(known);
  if ((await work.readOwnPhone(known.person.userId)) === undefined) throw new AppError('sos_phone_unknown');
  const name = `call-${order.by}-${callId ?? randomUUID()}`;
  return changeAlert(work, order, () => ({
    addEntry: { entryId: name, recipient: { kind: 'person' }, channel: 'voice' },
    fact: { factId: name, kind: 'call', by: order.by },
    event: 'sos.call',
  }));
}
