import type { ListAlertsQuery } from '@hushryd/contracts/http/sos';
import type { TopicFilter } from '@hushryd/contracts/realtime/topic-filter';
import { AppError } from '@hushryd/platform/errors/app-error';
import { compileFilter, type Filterable } from '@hushryd/platform/topics/topic-filter';
import type { Filter } from 'mongodb';
import type { AlertDocument } from './alert-document.ts';
import type { AlertOutline, AlertStore } from './alert-store.ts';
import { ownerOf } from './drill-person.ts';

export interface AlertListing extends Pick<ListAlertsQuery, 'drills' | 'cursor'> {
  filter?: TopicFilter;
  limit: number;
}

/** Alerts that one page is looked for among. In one read: the embedded engine walks all alerts for each. */
const shippedLooks = 2_000;

/**
 * Alerts for the staff: open ones first, then the newest; drills only where they are asked for. The cursor is a place in the order (open, received, id), so a new alert does
 * not move the later pages; one that is closed meanwhile may come twice.
 *
 * What fits a filter is decided as for `admin:sos`, by what is stored now: a press that was merged may have moved an alert, which the topic
 * shows only by its next event. Notes and names are sealed, so text is held against ids alone. An index finds one state,
 * all that is open and all that has ended; for anything else the order is walked, at most 2,000 alerts a page: a page may so be short, or
 * empty, and have a `nextCursor` from which the search goes on.
 *
 * @throws AppError `cursor_invalid`, `database_unavailable`
 * Cost: `limit` index entries; where the order is walked, one read of up to 2,000 outlines and one of `limit` alerts.
 */
export async function listAlerts(
  store: Pick<AlertStore, 'list' | 'listOutlines'>,
  { filter = {}, drills, limit, cursor }: AlertListing,
  maxLooks = shippedLooks,
): Promise<{ alerts: AlertDocument[]; nextCursor: string | null }> {
  const conditions: Filter<AlertDocument>[] = [];
  if (drills !== 'included') conditions.push({ isDrill: drills === 'only' ? true : { $ne: true } });
  const { states, isWhole } = byIndex(filter.states);
  if (states !== undefined) conditions.push(states);
  const start = cursor === undefined ? undefined : readCursor(cursor);
  if (isWhole && filter.bbox === undefined && filter.text === undefined) {
    const found = await store.list(from(conditions, start), { limit: limit + 1 });
    return toPage(found, limit);
  }
  return search(store, { conditions, filter, limit, start, maxLooks });
}

type Place = Pick<AlertDocument, 'open' | 'receivedAt' | '_id'>;

/** What of the wanted states an index finds. `isWhole`: nothing is left to be looked at. */
function byIndex(states: readonly string[] = []): { states?: Filter<AlertDocument>; isWhole: boolean } {
  const [first, ...others] = new Set(states);
  if (first === undefined) return { isWhole: true };
  if (others.length === 0) return { states: { state: first as AlertDocument['state'] }, isWhole: true };
  const open = states.filter((state) => openStates.has(state)).length;
  if (open === 0) return { states: { open: false }, isWhole: false };
  return open === states.length ? { states: { open: true }, isWhole: true } : { isWhole: false };
}

const openStates = new Set<string>(['open', 'acknowledged'] satisfies AlertDocument['state'][]);

async function search(
  store: Pick<AlertStore, 'list' | 'listOutlines'>,
  {
    conditions,
    filter,
    limit,
    start,
    maxLooks,
  }: {
    conditions: Filter<AlertDocument>[];
    filter: TopicFilter;
    limit: number;
    start: Place | undefined;
    maxLooks: number;
  },
): Promise<{ alerts: AlertDocument[]; nextCursor: string | null }> {
  const fits = compileFilter(filter);
  const seen = await store.listOutlines(from(conditions, start), { limit: maxLooks });
  const page = toPage(
    seen.filter((outline) => fits(toFilterable(outline))),
    limit,
  );
  const ids = page.alerts.map(({ _id }) => _id);
  const alerts = ids.length === 0 ? [] : await store.list({ _id: { $in: ids } }, { limit });
  const last = seen.length < maxLooks ? undefined : seen.at(-1);
  const nextCursor = page.nextCursor ?? (last === undefined ? null : writeCursor(last));
  // What has changed in between fits no more.
  return { alerts: alerts.filter((alert) => fits(toFilterable(alert))), nextCursor };
}

function toFilterable({ _id, state, person, trigger: { tripId, location } }: AlertOutline): Filterable {
  return { lat: location?.lat, lng: location?.lng, state, ids: [tripId, ownerOf(person.userId), _id] };
}

function from(conditions: Filter<AlertDocument>[], place: Place | undefined): Filter<AlertDocument> {
  const all = place === undefined ? conditions : [...conditions, after(place)];
  return all.length === 0 ? {} : { $and: all };
}

function toPage<Found extends Place>(found: Found[], limit: number): { alerts: Found[]; nextCursor: string | null } {
  const alerts = found.slice(0, limit);
  const last = found.length > limit ? alerts.at(-1) : undefined;
  return { alerts, nextCursor: last === undefined ? null : writeCursor(last) };
}

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
