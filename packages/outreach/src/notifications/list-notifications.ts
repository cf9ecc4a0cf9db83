import type { ListNotificationsReply, Notification } from '@hushryd/contracts/http/notifications';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Queues } from '@hushryd/platform/queues/open-queues';
import type { Filter } from 'mongodb';
import type { NotificationDocument, NotificationState, StoredAttempt, StoredReceipt } from './notification-document.ts';
import type { NotificationStore } from './notification-store.ts';
import { templateOf } from './templates/all-templates.ts';

/**
 * Records in one state, newest first. A record that joins or leaves meanwhile moves no later page.
 *
 * @throws AppError `cursor_invalid`, `database_unavailable`
 */
export async function listNotifications(
  store: Pick<NotificationStore, 'find'>,
  { state, limit, cursor }: { state: NotificationState; limit: number; cursor?: string | undefined },
): Promise<ListNotificationsReply> {
  const filter: Filter<NotificationDocument> = { state, ...(cursor !== undefined && after(cursor)) };
  const found = await store.find(filter, { limit: limit + 1 });
  const page = found.slice(0, limit);
  const last = found.length > limit ? page.at(-1) : undefined;
  return { notifications: page.map(toNotification), nextCursor: last === undefined ? null : writeCursor(last) };
}

/**
 * Send one that has failed once more, over all providers, as long as its template's life.
 *
 * @throws AppError `not_found`, `notification_state_conflict`, `database_unavailable`
 */
export async function redriveNotification(
  {
    store,
    queues,
    now,
  }: {
    store: Pick<NotificationStore, 'findById' | 'redrive'>;
    queues?: Pick<Queues, 'add'> | undefined;
    /** The database's clock. */
    now: () => number;
  },
  recordId: string,
): Promise<Notification> {
  const known = await store.findById(recordId);
  if (known === null) throw new AppError('not_found');
  const nowMs = now();
  const expiresAt = new Date(nowMs + templateOf(known.template).lifeMs);
  const driven = await store.redrive(recordId, { nowMs, expiresAt });
  if (driven === null)
    throw new AppError('notification_state_conflict', { detail: 'only what has failed is sent again' });
  // The sweeper finds it otherwise.
  void queues?.add(driven.lane, { recordId, step: driven.fence }).catch(() => undefined);
  return toNotification(driven);
}

/** As staff see it: everything but the address and the words. */
export function toNotification(document: NotificationDocument): Notification {
  const { _id, attempts, receipts, createdAt, expiresAt, nextAt, endedAt, deliveredAt } = document;
  const { personId, template, locale, channel, state, reason, correlationId } = document;
  return {
    notificationId: _id,
    ...(personId !== undefined && { personId }),
    template,
    locale,
    class: document.class,
    channel,
    state,
    ...(reason !== undefined && { reason }),
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    ...(nextAt !== undefined && { nextAt: nextAt.toISOString() }),
    ...(endedAt !== undefined && { endedAt: endedAt.toISOString() }),
    ...(deliveredAt !== undefined && { deliveredAt: deliveredAt.toISOString() }),
    attempts: attempts.map((attempt) => toDeliveryAttempt(attempt, receipts[attempt.number])),
    ...(correlationId !== undefined && { correlationId }),
  };
}

function toDeliveryAttempt(
  attempt: StoredAttempt,
  receipt: StoredReceipt | undefined,
): Notification['attempts'][number] {
  const { attemptId, provider, startedAtMs, latencyMs, outcome, providerMessageId, errorClass, reason } = attempt;
  const vendorCode = receipt?.vendorCode ?? attempt.vendorCode;
  return {
    attemptId,
    provider,
    startedAt: new Date(startedAtMs).toISOString(),
    latencyMs,
    outcome,
    ...(providerMessageId !== undefined && { providerMessageId }),
    ...(errorClass !== undefined && { errorClass }),
    ...(reason !== undefined && { reason }),
    ...(vendorCode !== undefined && { vendorCode }),
    ...(receipt !== undefined && { receipt: receipt.status, receiptAt: receipt.at.toISOString() }),
  };
}

function after(cursor: string): Filter<NotificationDocument> {
  const match = /^(\d{1,15})\.([A-Za-z0-9_-]{1,64})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (match?.[1] === undefined || match[2] === undefined) throw new AppError('cursor_invalid');
  const createdAt = new Date(Number(match[1]));
  return { $or: [{ createdAt: { $lt: createdAt } }, { createdAt, _id: { $gt: match[2] } }] };
}

const writeCursor = ({ createdAt, _id }: NotificationDocument): string =>
  Buffer.from(`${createdAt.getTime()}.${_id}`).toString('base64url');
