import type { PostSosFixesBody, TrailPoint } from '@hushryd/contracts/http/sos-trail';
import { test } from 'tap';
import { createFakeApi, problem } from '../../test/support/fake-api.ts';
import { createFakeSockets } from '../../test/support/fake-socket.ts';
import { createManualRuntime } from '../../test/support/manual-runtime.ts';
import { createRiderClient } from '../rider-client.ts';

const alertId = '01890a5d-ac96-774b-bcce-b302099a8057';
const reading = (second: number) => ({ recordedAtMs: 1_700_000_000_000 + second * 1_000, lat: 41, lng: -8 });
const readings = (count: number, from = 1) => Array.from({ length: count }, (_, index) => reading(from + index));

function setUp() {
  const runtime = createManualRuntime();
  const sockets = createFakeSockets(runtime.now);
  const api = createFakeApi();
  const client = createRiderClient({
    realtimeUrl: 'ws://realtime.example',
    apiUrl: 'http://api.example',
    sosApiUrls: ['http://other.example'],
    getToken: () => 'token',
    createSocket: sockets.createSocket,
    fetch: api.fetch,
    ...runtime,
  });
  const goLive = async () => {
    void client.connect();
    await runtime.settle();
    sockets.last.ready();
    await runtime.settle();
  };
  const posts = () =>
    api.requests
      .filter(({ url }) => url.endsWith(`/v1/sos/${alertId}/fixes`))
      .map(({ url, body }) => ({ host: new URL(url).host, ...(JSON.parse(body ?? '') as PostSosFixesBody) }));
  const frames = () => sockets.last.sentOf('sos_loc');
  /** The server names these as stored. */
  const store = (durableSeqs: number[], index = frames().length - 1) => {
    const { id = 0, run } = frames()[index] as { id?: number; run: number };
    sockets.last.say({ type: 'sos_recv', id, alertId, run, durableSeqs, drops: [] });
  };
  return { runtime, sockets, api, client, goLive, posts, frames, store };
}

const seqsOf = (sent: Pick<PostSosFixesBody, 'fixes'> | undefined) => sent?.fixes.map(({ seq }) => seq);

test('a live socket carries the fixes; what is not named as stored is sent again with the next', async (t) => {
  const { client, runtime, goLive, frames, store, posts } = setUp();
  await goLive();

  client.sendSosFixes(alertId, readings(2));
  await runtime.settle();
  t.match(frames()[0], { alertId, fixes: [{ ...reading(1), seq: 1 }, { seq: 2 }] });
  client.sendSosFixes(alertId, [reading(3)]);
  await runtime.settle();
  t.equal(frames().length, 1, 'one frame at a time');

  store([1]);
  await runtime.settle();
  t.same(seqsOf(frames()[1]), [2, 3]);
  store([]);
  await runtime.advance(900);
  t.equal(frames().length, 2, 'where nothing could be stored it waits a little');
  await runtime.advance(1_200);
  t.same(seqsOf(frames()[2]), [2, 3]);
  store([2, 3]);
  await runtime.advance(6_000);
  t.same([frames().length, posts().length], [3, 0], 'and is quiet when all is stored');
});

test('without a socket, or without an answer of it, they go over HTTPS, the hosts in turn', async (t) => {
  const { client, runtime, api, goLive, posts, frames } = setUp();
  const reply = (durableSeqs: number[]) => ({ status: 200, body: { alertId, run: 1, durableSeqs, drops: [] } });
  api.answers.push(new Error('no network'), problem(503, 'database_unavailable'));
  client.sendSosFixes(alertId, [reading(1)]);
  await runtime.advance(2_000);
  t.same(
    posts().map(({ host }) => host),
    ['api.example', 'other.example'],
  );
  api.answers.push(reply([1]));
  await runtime.advance(2_000);
  t.equal(posts().length, 3);

  await goLive();
  client.sendSosFixes(alertId, [reading(2)]);
  await runtime.settle();
  t.same(seqsOf(frames()[0]), [2]);
  api.answers.push(reply([2]));
  await runtime.advance(3_100);
  t.same(seqsOf(posts()[3]), [2], 'after three seconds');
});

test('the newest go first, a hundred at a time, and of too many the oldest are given up', async (t) => {
  const { client, runtime, goLive, frames, store } = setUp();
  await goLive();

  client.sendSosFixes(alertId, readings(2_150));
  await runtime.settle();
  t.same([seqsOf(frames()[0])?.at(0), seqsOf(frames()[0])?.at(-1), frames()[0]?.fixes.length], [2_051, 2_150, 100]);
  for (let sent = 0; sent < frames().length && sent < 40; sent += 1) {
    store(seqsOf(frames()[sent]) ?? [], sent);
    await runtime.advance(200);
  }
  const all = frames().flatMap((frame) => seqsOf(frame) ?? []);
  t.same([Math.min(...all), all.length], [151, 2_000]);
});

test('the end of the alert ends it; an alert that is not known yet does not', async (t) => {
  const { client, runtime, api, posts } = setUp();
  api.answers.push(problem(404, 'not_found'), problem(404, 'not_found'), problem(409, 'sos_state_conflict'));

  client.sendSosFixes(alertId, [reading(1)]);
  await runtime.advance(10_000);
  t.equal(posts().length, 3);
  client.sendSosFixes(alertId, [reading(2)]);
  await runtime.advance(10_000);
  t.equal(posts().length, 3, 'nothing more is sent');
});

test('a server that refuses what is said beside place and time gets these alone, by either way', async (t) => {
  const { client, runtime, api, posts } = setUp();
  const known = { ...reading(1), speedMps: -1, headingDegrees: -1 };
  const bare = [{ seq: 1, ...reading(1) }];
  api.answers.push(problem(400, 'request_invalid'), new Error('no network'));
  client.sendSosFixes(alertId, [known]);
  await runtime.settle();
  t.match(posts()[0]?.fixes, [{ speedMps: -1 }]);
  t.same(posts()[1]?.fixes, bare, 'at once');
  api.answers.push(problem(400, 'request_invalid'));
  await runtime.advance(2_100);
  await runtime.advance(10_000);
  t.equal(posts().length, 3, 'which it refuses as well: nothing more can be done');

  const live = setUp();
  await live.goLive();
  live.client.sendSosFixes(alertId, [known]);
  await live.runtime.settle();
  const id = live.frames()[0]?.id ?? 0;
  live.sockets.last.say({ type: 'error', id, code: 'frame_invalid', message: 'no', retryable: false });
  await live.runtime.settle();
  t.same(live.frames()[1]?.fixes, bare);
  live.store([1]);
  await live.runtime.advance(6_000);
  t.same([live.frames().length, live.posts().length], [2, 0]);
});

test('whoever watches an alert is told where both phones are', async (t) => {
  const { client, runtime, sockets, goLive } = setUp();
  await goLive();
  const heard: TrailPoint[] = [];
  const watch = client.watchAlert(alertId, { onTrail: (points) => void heard.push(...points) });
  await runtime.settle();
  t.match(sockets.last.sentOf('sub'), [{ topic: `sos:${alertId}` }]);

  const point = (source: TrailPoint['source']): TrailPoint => ({
    source,
    lat: 41,
    lng: -8,
    recordedAt: '2026-03-01T08:00:00.000Z',
  });
  const say = (source: TrailPoint['source']) =>
    sockets.last.say({ type: 'trail', topic: `sos:${alertId}`, points: [point(source)] });
  say('driver');
  say('person');
  t.same(heard, [point('driver'), point('person')]);
  watch.close();
  say('driver');
  t.equal(heard.length, 2);
});
