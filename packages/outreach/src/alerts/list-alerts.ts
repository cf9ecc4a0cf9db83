import type { ListAlertsQuery } from '@hushryd/contracts/http/sos';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Filter } from 'mongodb';
import type { AlertDocument } from './alert-document.ts';
import type { AlertStore } from './alert-store.ts';

/**
 * Alerts for the staff: open ones first, then the newest; drills only where they are asked for. The cursor is a place in the order (open, received, id), so a new alert does
 * not move the later pages; one that is closed meanwhile may come twice.
 *
 * @throws AppError `cursor_invalid`, `database_unavailable`
 * Cost: `limit` index entries.
 */
export async function listAlerts(
  store: Pick<AlertStore, 'list'>,
  { state, drills, limit, cursor }: ListAlertsQuery & { limit: number },
): Promise<{ alerts: AlertDocument[]; nextCursor: string | null }> {
  const conditions: Filter<AlertDocument>[] = [];
  if (drills !== 'included') conditions.push({ isDrill: drills === 'only' ? true : { $ne: true } });
  if (state !== undefined) conditions.push({ state });
  if (cursor !== undefined) conditions.push(after(readCursor(cursor)));

  const found = await store.list(conditions.length === 0 ? {} : { $and: conditions }, { limit: limit + 1 });
  const alerts = found.slice(0, limit);
  const last = found.length > limit ? alerts.at(-1) : undefined;
  return { alerts, nextCursor: last === undefined ? null : writeCursor(last) };
}

type Place = Pick<AlertDocument, 'open' | 'receivedAt' | '_id'>;

function after({ open, receivedAt, _id }: Place): Filter<AlertDocument> {
  const later: Filter<AlertDocument>[] = [
    { open, receivedAt: { $lt: receivedAt } },
    { open, receivedAt, _id: { $gt: _id } },
  ];
  return { $or: open ? [...later, { open: false }] : later };
}

function writeCursor({ open, receivedAt, _id }: Place): string {
  return Buffer.from(`${open ? 1 : 0}.${receivedAt.getTime()}.${_id}`).toString('base64url');
}

function readCursor(cursor: string): Place {
  const match = /^([01])\.(\d{1,15})\.([A-Za-z0-9_-]{1,64})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (match?.[2] === undefined || match[3] === undefined) throw new AppError('cursor_invalid');
  return { open: match[1] === '1', receivedAt: new Date(Number(match[2])), _id: match[3] };
}
