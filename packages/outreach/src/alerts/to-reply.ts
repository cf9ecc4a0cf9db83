import type { Durability, SosReply } from '@hushryd/contracts/http/sos';
import type { AlertDocument } from './alert-document.ts';
import type { TriggerRecord } from './trigger-record.ts';

/** The answer to a press that the database holds: of what stands in the alert alone, so that it is the same for ever. Pure. */
export function toReply(
  alert: AlertDocument,
  { triggerId, acceptedAt }: Pick<TriggerRecord, 'triggerId' | 'acceptedAt'>,
): SosReply {
  const trigger = alert.triggers.find(({ id }) => id === triggerId);
  return {
    alertId: alert._id,
    durability: 'majority',
    state: trigger?.state ?? alert.state,
    ...(alert._id !== triggerId && { joined: true as const }),
    acceptedAt: trigger?.acceptedAt.toISOString() ?? acceptedAt,
  };
}

/**
 * The answer to a press that only this node holds so far. Pure.
 *
 * @param first the oldest press of the same person that this node holds: what its alert will be, unless another node holds an older one
 */
export function toProvisionalReply(
  record: TriggerRecord,
  { first, durability }: { first: TriggerRecord; durability: Exclude<Durability, 'majority'> },
): SosReply {
  return {
    alertId: first.triggerId,
    durability,
    state: 'open',
    ...(first.triggerId !== record.triggerId && { joined: true as const }),
    acceptedAt: record.acceptedAt,
  };
}
