import { Readable } from 'node:stream';
import type { TrackFix } from '@hushryd/contracts/http/trips';
import type { TrackReader } from '@hushryd/tracking/history/read-track';
import type { HistoryDocument } from '@hushryd/tracking/history/to-history-document';
import { toTrackFix } from './track-fix.ts';
import { type TrackFormat, trackFormats } from './track-formats.ts';

const fixesPerPage = 5000;

/**
 * A whole track as a file, page by page, what is on its way to MongoDB included: as large as the trip was long, while memory holds one page.
 *
 * The first page is read before anything is sent, so a failure then is an ordinary error reply; a later one cuts the connection, which
 * tells the reader that the file is not whole.
 *
 * @throws AppError `redis_unavailable`, `database_unavailable`
 */
export async function exportTrack(
  track: TrackReader,
  { tripId, driverId, format }: { tripId: string; driverId: string; format: TrackFormat },
): Promise<Readable> {
  const pages = track.readPages({ tripId, driverId, limit: fixesPerPage });
  const first = await pages.next();
  return Readable.from(writeTrack(tripId, format, pagesFrom(first, pages)), { objectMode: false });
}

async function* pagesFrom(
  first: IteratorResult<HistoryDocument[], void>,
  rest: AsyncGenerator<HistoryDocument[], void, void>,
): AsyncGenerator<TrackFix[]> {
  if (first.done) return;
  yield first.value.map(toTrackFix);
  for await (const page of rest) yield page.map(toTrackFix);
}

async function* writeTrack(
  tripId: string,
  format: TrackFormat,
  pages: AsyncIterable<TrackFix[]>,
): AsyncGenerator<string> {
  const { head, page: writePage, tail } = trackFormats[format];
  yield head(tripId);
  let isFirst = true;
  for await (const fixes of pages) {
    if (fixes.length > 0) yield writePage(fixes, isFirst);
    isFirst = false;
  }
  yield tail;
}
