import type { SosReply, SosTrigger } from '@hushryd/contracts/http/sos';
import { TriggerIdSchema } from '@hushryd/contracts/http/sos';
import { test } from 'tap';
import { createFakeApi, problem } from '../../test/support/fake-api.ts';
import { createFakeSockets } from '../../test/support/fake-socket.ts';
import { createManualRuntime } from '../../test/support/manual-runtime.ts';
import { createRiderClient, type RiderClientOptions } from '../rider-client.ts';
import { createMemorySosStore } from './sos-store.ts';
import { uuidV7 } from './uuid-v7.ts';

const acceptedAt = '2026-03-01T08:00:00.000Z';
/** What a proxy says, and no server of ours. */
const page = (status: number) => ({ status, body: '<html>Bad Request</html>' });
const replyTo = (alertId: string): SosReply => ({ alertId, durability: 'majority', state: 'open', acceptedAt });

function setUp(options: Partial<RiderClientOptions> = {}) {
  const runtime = createManualRuntime();
  const sockets = createFakeSockets(runtime.now);
  const api = createFakeApi();
  const unanswered: SosTrigger[] = [];
  const answered: SosReply[] = [];
  const client = createRiderClient({
    realtimeUrl: 'ws://realtime.example',
    apiUrl: 'http://api.example',
    getToken: () => 'token',
    createSocket: sockets.createSocket,
    fetch: api.fetch,
    onSosUnanswered: (trigger) => unanswered.push(trigger),
    onSosAnswered: (_, reply) => answered.push(reply),
    ...runtime,
    ...options,
  });
  const goLive = async () => {
    void client.connect();
    await runtime.settle();
    sockets.last.ready();
    await runtime.settle();
  };
  const posts = () => api.requests.filter(({ url }) => url.endsWith('/v1/sos'));
  return { runtime, sockets, api, client, unanswered, answered, goLive, posts };
}

test('ids are UUIDv7, in the order of time', async (t) => {
  const ids = Array.from({ length: 100 }, (_, index) => uuidV7(1_700_000_000_000 + index));
  const { pattern } = TriggerIdSchema as { pattern?: string };

  for (const id of ids) t.match(id, new RegExp(pattern ?? ''));
  t.same(ids, ids.toSorted());
  t.equal(new Set(ids).size, 100);
});

test('a live socket carries the alert, and its answer is the answer', async (t) => {
  const { sockets, client, runtime, goLive, posts, answered } = setUp();
  await goLive();

  const call = client.triggerSos({ batteryPercent: 30 });
  await runtime.settle();
  const [frame] = sockets.last.sentOf('sos');
  t.match(frame, { alertId: call.alertId, batteryPercent: 30 });
  sockets.last.say({ type: 'sos_accepted', triggerId: call.alertId, ...replyTo(call.alertId) });

  t.same(await call.answered, replyTo(call.alertId));
  await runtime.advance(10_000);
  t.equal(sockets.last.sentOf('sos').length, 1, 'not sent again');
  t.same([posts().length, answered.length], [0, 1]);
});

test('a socket without an answer is helped out by every host in turn, with one id', async (t) => {
  const { api, sockets, client, runtime, goLive, posts, unanswered } = setUp({ sosApiUrls: ['http://other.example'] });
  await goLive();
  api.answers.push(new Error('no network'), problem(503, 'sos_not_persisted'), new Error('no network'));

  const call = client.triggerSos();
  await runtime.advance(4_900);
  t.same(
    posts().map(({ url }) => new URL(url).host),
    ['api.example', 'other.example', 'api.example'],
  );
  t.equal(sockets.last.sentOf('sos').length, 4, 'and the socket is tried again too');
  t.same(unanswered, []);

  api.answers.push({ status: 202, body: { ...replyTo(call.alertId), durability: 'local' } });
  await runtime.advance(200);
  t.equal(unanswered[0]?.alertId, call.alertId, 'after five seconds the app offers the dialler');
  await runtime.advance(2_000);
  t.match(await call.answered, { durability: 'local' });
  const ids = posts().map(({ body }) => (JSON.parse(body ?? '') as SosTrigger).alertId);
  t.same(new Set(ids), new Set([call.alertId]));
  const count = posts().length;
  await runtime.advance(20_000);
  t.equal(posts().length, count);
});

test('sent over HTTPS at once where the node asks for it, or no socket is live', async (t) => {
  const { api, sockets, client, runtime, goLive, posts } = setUp();
  const offline = client.triggerSos();
  api.answers.push({ status: 201, body: replyTo(offline.alertId) });
  await runtime.settle();
  t.equal((await offline.answered).alertId, offline.alertId, 'before any connection');

  await goLive();
  const call = client.triggerSos();
  await runtime.settle();
  api.answers.push({ status: 201, body: replyTo(call.alertId) });
  sockets.last.say({ type: 'sos_retry_over_https', triggerId: call.alertId });
  await runtime.settle();
  t.equal((await call.answered).alertId, call.alertId);
  t.equal(posts().length, 2);
});

test('an old token will do where no new one can be had', async (t) => {
  let isIssuerAway = false;
  const { api, client, runtime, posts } = setUp({
    getToken: () => (isIssuerAway ? Promise.reject(new Error('away')) : 'old'),
  });
  api.answers.push(problem(503, 'sos_not_persisted'));
  const call = client.triggerSos();
  await runtime.settle();
  isIssuerAway = true;
  api.answers.push({ status: 201, body: replyTo(call.alertId) });
  await runtime.advance(2_500);

  await call.answered;
  t.match(
    posts().map(({ headers }) => headers.authorization),
    ['Bearer old', 'Bearer old'],
  );
});

test('what was unanswered is sent again after a restart of the app, and forgotten once it is answered', async (t) => {
  const sosStore = createMemorySosStore();
  const before = setUp({ sosStore });
  before.api.answers.push(new Error('no network'));
  const { alertId } = before.client.triggerSos({ note: 'help' });
  await before.runtime.settle();
  t.match(await sosStore.load(), [{ alertId, note: 'help' }]);

  const after = setUp({ sosStore });
  after.api.answers.push({ status: 201, body: replyTo(alertId) });
  void after.client.connect();
  await after.runtime.settle();
  await after.runtime.settle();
  t.match(after.answered, [{ alertId }]);
  t.same(await sosStore.load(), []);
});

test('where a server refuses what the app says of the situation, it gets the bare press at once', async (t) => {
  for (const refusal of [problem(400, 'request_invalid'), problem(413, 'payload_too_large'), page(400)]) {
    const { api, client, runtime, posts, answered } = setUp();
    const call = client.triggerSos({ batteryPercent: -1, note: 'help' });
    api.answers.push(refusal, { status: 201, body: replyTo(call.alertId) });
    await runtime.settle();

    t.equal((await call.answered).alertId, call.alertId);
    const [whole, bare] = posts().map(({ body }) => JSON.parse(body ?? '') as SosTrigger);
    t.match(whole, { batteryPercent: -1, note: 'help' });
    t.same(bare, { alertId: call.alertId, triggeredAt: whole?.triggeredAt });
    await runtime.advance(5_000);
    t.same([posts().length, answered.length], [2, 1]);
  }
});

test('the bare press is sent on until somebody holds it, and the next host hears all of it again', async (t) => {
  const { api, client, runtime, posts } = setUp({ sosApiUrls: ['http://other.example'] });
  const call = client.triggerSos({ note: 'help' });
  api.answers.push(problem(400, 'request_invalid'), problem(503, 'sos_not_persisted'));
  await runtime.settle();
  api.answers.push({ status: 201, body: replyTo(call.alertId) });
  await runtime.advance(2_500);

  t.equal((await call.answered).alertId, call.alertId);
  t.match(
    posts().map(({ url, body }) => [new URL(url).host, (JSON.parse(body ?? '') as SosTrigger).note]),
    [
      ['api.example', 'help'],
      ['api.example', undefined],
      ['other.example', 'help'],
    ],
  );
});

test('only a bare press that our own server refuses is not repeated', async (t) => {
  const refused = setUp();
  refused.api.answers.push(problem(400, 'request_invalid'), problem(400, 'request_invalid'));
  const call = refused.client.triggerSos({ tripId: 'not an id' });
  await t.rejects(call.answered, { code: 'request_invalid' });
  await refused.runtime.advance(5_000);
  t.equal(refused.posts().length, 2);

  const proxied = setUp();
  const other = proxied.client.triggerSos();
  proxied.api.answers.push(page(400), page(400));
  await proxied.runtime.settle();
  proxied.api.answers.push({ status: 201, body: replyTo(other.alertId) });
  await proxied.runtime.advance(2_500);
  t.equal((await other.answered).alertId, other.alertId);
});
