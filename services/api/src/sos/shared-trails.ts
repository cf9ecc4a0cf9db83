import type { TrailPoint } from '@hushryd/contracts/http/sos-trail';
import type { TrailAlert, TrailReader } from '@hushryd/outreach/trail/read-trail';
import type { ReadSharedTrail } from '@hushryd/outreach/trail/share-alert';
import { thinTrail } from '@hushryd/outreach/trail/thin-trail';
import { LRUCache } from 'lru-cache';

interface Known {
  points: TrailPoint[];
  readAtMs: number;
  /** The whole of it is read again after this: what came late belongs to it as well. */
  wholeAtMs: number;
  reading: Promise<readonly TrailPoint[]> | undefined;
}

const maxAlerts = 500;
const maxPoints = 500;
const pageSize = 2_000;
/** A trail of more points than that is not read further back: three days of two phones at one a second are thinned as they come. */
const maxPages = 20;
const freshMs = 1_500;
const wholeEveryMs = 60_000;
/** Phones send again what was not taken: so far back is looked each time. */
const overlapMs = 30_000;

/**
 * However many contacts look at an alert, it is read at most every 1.5 s, and only from a little before what is known; at most 500 points a
 * trail, thinned, for 500 alerts.
 */
export function createSharedTrails({
  trail,
  now = Date.now,
}: {
  trail: Pick<TrailReader, 'read'>;
  now?: () => number;
}): ReadSharedTrail {
  const known = new LRUCache<string, Known>({ max: maxAlerts });

  async function readOn(alert: TrailAlert, entry: Known): Promise<readonly TrailPoint[]> {
    const isWhole = now() >= entry.wholeAtMs;
    const newest = isWhole ? undefined : entry.points.at(-1);
    const since = newest && new Date(Date.parse(newest.recordedAt) - overlapMs);
    const before = since === undefined ? [] : entry.points;
    entry.points = await readPages(alert, before, since);
    entry.readAtMs = now();
    if (isWhole) entry.wholeAtMs = entry.readAtMs + wholeEveryMs;
    return entry.points;
  }

  async function readPages(
    alert: TrailAlert,
    before: readonly TrailPoint[],
    since: Date | undefined,
  ): Promise<TrailPoint[]> {
    let points = [...before];
    let cursor: string | undefined;
    for (let page = 0; page < maxPages; page += 1) {
      const read = await trail.read(alert, { limit: pageSize, cursor, since });
      points = thinTrail(inOrder([...points, ...read.points]), maxPoints);
      if (read.nextCursor === null) break;
      cursor = read.nextCursor;
    }
    return points;
  }

  return (alert) => {
    const entry = known.get(alert._id) ?? { points: [], readAtMs: 0, wholeAtMs: 0, reading: undefined };
    known.set(alert._id, entry);
    if (entry.reading === undefined && now() - entry.readAtMs < freshMs) return Promise.resolve(entry.points);
    entry.reading ??= readOn(alert, entry).finally(() => {
      entry.reading = undefined;
    });
    return entry.reading;
  };
}

function inOrder(points: readonly TrailPoint[]): TrailPoint[] {
  const byPlace = new Map(points.map((point) => [`${point.recordedAt} ${point.source}`, point]));
  return [...byPlace.values()].sort((a, b) => Date.parse(a.recordedAt) - Date.parse(b.recordedAt));
}
