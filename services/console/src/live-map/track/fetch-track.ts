import type { TrackFix } from '@hushryd/contracts/http/trips';
import type { HttpClient } from '@hushryd/sdk/http/http-client';

export interface WholeTrack {
  fixes: TrackFix[];
  /** The newest fixes are missing: there were too many to read at once. */
  isTailCut: boolean;
  /** The track goes on after what was fetched. */
  isEndCut: boolean;
}

const pageSize = 5_000;
/** 100,000 fixes are a day at one a second; a longer track is cut, and says so. */
const maxPages = 20;

/** All fixes of a trip in order, page by page. */
export async function fetchTrack(http: Pick<HttpClient, 'getTrack'>, tripId: string): Promise<WholeTrack> {
  const fixes: TrackFix[] = [];
  let cursor: string | null = null;
  let isTailCut = false;
  for (let page = 0; page < maxPages; page += 1) {
    const reply: Awaited<ReturnType<HttpClient['getTrack']>> = await http.getTrack(tripId, {
      limit: pageSize,
      ...(cursor === null ? {} : { cursor }),
    });
    fixes.push(...reply.fixes);
    isTailCut ||= reply.tail === 'truncated';
    cursor = reply.nextCursor;
    if (cursor === null) break;
  }
  return { fixes, isTailCut, isEndCut: cursor !== null };
}
