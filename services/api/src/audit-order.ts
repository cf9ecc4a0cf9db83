import type { Identity } from '@hushryd/platform/auth/claims';
import type { Logger } from '@hushryd/platform/logging/logger';

/** What staff may do to one person's sessions, devices and safety, to what is sent, and to the rota of who is on call. */
export interface StaffOrder {
  action:
    | 'sign_out'
    | 'end_connection'
    | 'send_notice'
    | 'read_contacts'
    | 'remove_pins'
    | 'redrive_notification'
    | 'put_on_call'
    | 'put_on_call_override'
    | 'remove_on_call_override';
  targetUserId?: string;
  reason?: string;
  connectionId?: string;
  noticeId?: string;
  overrideId?: string;
  /** Of the rota that is replaced. */
  version?: number;
  notificationId?: string;
}

export type AuditOrder = (identity: Identity, order: StaffOrder) => void;

/**
 * Who ordered what is written down before it is carried out, so that an order of which nobody knows what became of it is there too
 * (security checklist, "Operators").
 */
export function createAuditOrder(log: Pick<Logger, 'info'>): AuditOrder {
  return (
    { userId },
    { action, targetUserId, reason, connectionId, noticeId, notificationId, overrideId, version },
  ) => {
    const order = { targetUserId, reason, connectionId, noticeId, notificationId, overrideId, version };
    log.info({ userId, action, ...order }, 'ordered by staff');
  };
}
