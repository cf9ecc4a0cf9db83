import { Readable } from 'node:stream';
import type { SosLocation } from '@hushryd/contracts/http/sos';
import type { AlertDocument } from '@hushryd/outreach/alerts/alert-document';
import { readFacts } from '@hushryd/outreach/timeline/read-timeline';
import type { TimelineStore } from '@hushryd/outreach/timeline/timeline-store';
import { type GpxPoint, gpx } from '../gpx.ts';

/** Who was where: the points of one phone in order, page by page. */
export interface TrailTrack {
  name: string;
  pages: AsyncIterable<GpxPoint[]>;
}

/** The tracks that belong to an alert, from shortly before the press to its end. */
export type ReadTrail = (alert: AlertDocument) => Promise<TrailTrack[]>;

const factsAtOnce = 1000;

/**
 * The trail of an alert as GPX, page by page: presses with a place as waypoints, then a track for each phone that sent
 * anything. A failure before the first track is an ordinary error reply; a later one cuts the connection, which tells the reader that the file is not whole.
 *
 * @throws AppError `database_unavailable`, whatever `readTrail` throws
 */
export async function writeTrail(
  { timeline, readTrail }: { timeline: TimelineStore; readTrail: ReadTrail },
  alert: AlertDocument,
): Promise<Readable> {
  const waypoints = await writePresses(timeline, alert);
  const tracks = await readTrail(alert);
  return Readable.from(writeFile(waypoints, tracks), { objectMode: false });
}

async function* writeFile(waypoints: string, tracks: readonly TrailTrack[]): AsyncGenerator<string> {
  yield gpx.head + waypoints;
  for (const { name, pages } of tracks) {
    let isBegun = false;
    for await (const points of pages) {
      if (points.length === 0) continue;
      yield (isBegun ? '' : gpx.beginTrack(name)) + gpx.points(points);
      isBegun = true;
    }
    if (isBegun) yield gpx.endTrack;
  }
  yield gpx.tail;
}

/** An alert keeps a thousand presses at most, so that all of them fit into memory. */
async function writePresses(timeline: TimelineStore, alert: AlertDocument): Promise<string> {
  const waypoints: string[] = [];
  for (let afterSeq = 0; ; ) {
    const facts = await readFacts(timeline, alert, { afterSeq, limit: factsAtOnce });
    for (const { kind, data } of facts) {
      const location = data?.location as SosLocation | undefined;
      if (location !== undefined && presses.has(kind)) waypoints.push(gpx.waypoint(kind, location));
    }
    const last = facts.at(-1);
    if (last === undefined || facts.length < factsAtOnce) return waypoints.join('');
    afterSeq = last.seq;
  }
}

const presses = new Set(['raised', 'pressed_again']);
