import type { TrackFix, TrackReply } from '@hushryd/contracts/http/trips';
import tap from 'tap';
import { fetchTrack } from './fetch-track.ts';

const fix = (seq: number): TrackFix => ({
  run: 1,
  seq,
  recordedAt: new Date(seq * 1000).toISOString(),
  lat: 1,
  lng: 2,
});

function pages(count: number, tail: TrackReply['tail'] = 'complete') {
  const asked: (string | undefined)[] = [];
  return {
    asked,
    getTrack: async (tripId: string, page?: { cursor?: string }): Promise<TrackReply> => {
      asked.push(page?.cursor);
      const number = Number(page?.cursor ?? 0) + 1;
      return {
        tripId,
        fixes: [fix(number)],
        tail: number === 1 ? tail : 'none',
        nextCursor: number < count ? `${number}` : null,
      };
    },
  };
}

tap.test('all pages of a track are read in order', async (t) => {
  const http = pages(3);

  const track = await fetchTrack(http, 't1');

  t.same(http.asked, [undefined, '1', '2']);
  t.same(
    track.fixes.map(({ seq }) => seq),
    [1, 2, 3],
  );
  t.match(track, { isTailCut: false, isEndCut: false });
});

tap.test('a track that never ends is cut, and says so', async (t) => {
  const track = await fetchTrack(pages(1000, 'truncated'), 't1');

  t.equal(track.fixes.length, 20);
  t.match(track, { isTailCut: true, isEndCut: true });
});
