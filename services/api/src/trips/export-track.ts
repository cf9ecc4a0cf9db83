import { Readable } from 'node:stream';
import type { TrackFix } from '@hushryd/contracts/http/trips';
import type { TrackPage, TrackReader } from '@hushryd/tracking/history/read-track';
import { toTrackFix } from './track-fix.ts';
import { type TrackFormat, trackFormats } from './track-formats.ts';

const fixesPerPage = 5000;

/**
 * A whole track as a file, page by page: as large as the trip was long, while memory holds one page.
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
  const readPage = (cursor?: string) => track.readTrack({ tripId, driverId, limit: fixesPerPage, cursor });
  const first = await readPage();
  return Readable.from(writeTrack(tripId, format, pagesFrom(first, readPage)), { objectMode: false });
}

async function* pagesFrom(
  first: TrackPage,
  readPage: (cursor: string) => Promise<TrackPage>,
): AsyncGenerator<TrackFix[]> {
  let page = first;
  for (;;) {
    yield page.fixes.map(toTrackFix);
    if (page.nextCursor === null) return;
    page = await readPage(page.nextCursor);
  }
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
