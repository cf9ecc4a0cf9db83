import type { Identity } from '@hushryd/platform/auth/claims';
import type { Logger } from '@hushryd/platform/logging/logger';

/** What staff may do to one person's sessions and devices. */
export interface StaffOrder {
  action: 'sign_out' | 'end_connection' | 'send_notice';
  targetUserId: string;
  reason?: string;
  connectionId?: string;
  noticeId?: string;
}

export type AuditOrder = (identity: Identity, order: StaffOrder) => void;

/**
 * Who ordered what is written down before it is carried out, so that an order of which nobody knows what became of it is there too
 * (security checklist, "Operators").
 */
export function createAuditOrder(log: Pick<Logger, 'info'>): AuditOrder {
  return ({ userId }, { action, targetUserId, reason, connectionId, noticeId }) => {
    log.info({ userId, action, targetUserId, reason, connectionId, noticeId }, 'ordered by staff');
  };
}
