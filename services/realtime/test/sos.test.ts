import { type ForwardedSos, SosTriggerSchema } from '@hushryd/contracts/http/sos';
import { createPublishEvent } from '@hushryd/platform/topics/publish-event';
import t from 'tap';
import { Check } from 'typebox/value';
import { type Answer, listen } from './fake-internal-api.ts';
import { startTestRealtime } from './start-realtime.ts';

const alertId = '01890a5d-ac96-774b-bcce-b302099a8057';
const trigger = { alertId, triggeredAt: '2026-03-01T08:00:00.000Z' };

const accepted = { alertId, durability: 'majority', state: 'open', acceptedAt: '2026-03-01T08:00:01.000Z' };
const onSos = (answer: Answer | undefined) => (path: string) =>
  path === '/internal/sos' ? answer : { status: 404, body: {} };

t.test('a press is passed on with the identity of the socket, and answered with the api’s answer', async (t) => {
  const api = await listen(t, onSos({ status: 201, body: accepted }));
  const realtime = await startTestRealtime(t, { env: { INTERNAL_API_URLS: api.url } });
  const socket = await realtime.connect('rider-1', 'rider');

  socket.send({ type: 'sos', id: 7, ...trigger, batteryPercent: 12 });

  t.same(await socket.next('sos_accepted'), { type: 'sos_accepted', id: 7, triggerId: alertId, ...accepted });
  const [forwarded] = api.asked.filter(({ path }) => path === '/internal/sos');
  t.same(forwarded?.body as ForwardedSos, {
    identity: { userId: 'rider-1', role: 'rider' },
    trigger: { ...trigger, batteryPercent: 12 },
  });
  t.equal(forwarded?.authorization, 'Bearer service-token-of-this-test-alone-000000');
  t.match(forwarded?.requestId ?? '', /^[\w-]{36}$/, 'it is found in the logs of both');
  t.equal(await realtime.metric('realtime_sos_forwarded_total', { outcome: 'answered' }), 1);
});

t.test('the second address is asked where the first is silent, refuses or is gone', async (t) => {
  const silent = await listen(t, onSos(undefined));
  const refusing = await listen(t, onSos({ status: 503, body: { code: 'sos_not_persisted' } }));
  const good = await listen(t, onSos({ status: 202, body: { ...accepted, durability: 'local' } }));
  for (const first of [silent.url, refusing.url, 'http://127.0.0.1:9']) {
    const env = { INTERNAL_API_URLS: `${first},${good.url}`, SOS_FORWARD_MS: '300' };
    const realtime = await startTestRealtime(t, { env });
    const socket = await realtime.connect('driver-1', 'driver');

    socket.send({ type: 'sos', ...trigger });
    t.match(await socket.next('sos_accepted'), { triggerId: alertId, durability: 'local' });
  }
});

t.test('a node never acknowledges by itself: it sends the phone over HTTPS', async (t) => {
  const silent = await listen(t, onSos(undefined));
  const env = { INTERNAL_API_URLS: `${silent.url},http://127.0.0.1:9`, SOS_FORWARD_MS: '200' };
  const realtime = await startTestRealtime(t, { env });
  const socket = await realtime.connect('rider-1', 'rider');

  socket.send({ type: 'sos', id: 1, ...trigger });
  t.same(await socket.next('sos_retry_over_https'), { type: 'sos_retry_over_https', id: 1, triggerId: alertId });
  socket.send({ type: 'sos', id: 2, triggeredAt: trigger.triggeredAt });
  t.match(await socket.next('error'), { id: 2, code: 'frame_invalid' });
  t.same(socket.all('sos_accepted'), []);
});

t.test('a press is passed on whatever is wrong beside its id, as one that the api’s schema takes', async (t) => {
  const api = await listen(t, onSos({ status: 201, body: accepted }));
  const lines: string[] = [];
  const env = { INTERNAL_API_URLS: api.url, MAX_FRAMES_PER_SECOND: '1', MAX_BAD_FRAMES: '1000' };
  const realtime = await startTestRealtime(t, { env, onLogLine: (line) => void lines.push(line) });
  const socket = await realtime.connect('rider-1', 'rider');
  const faulty = {
    location: { lat: 41.15, lng: -8.61, accuracyMeters: -1, recordedAt: trigger.triggeredAt, altitude: 90 },
    batteryPercent: -1,
    note: 'n'.repeat(501),
    identity: { userId: 'somebody', role: 'operator' },
  };
  const isForwarded = async (count: number, triggeredAt: unknown) => {
    const found = api.asked.filter(({ path }) => path === '/internal/sos');
    t.equal(found.length, count);
    const { identity, trigger: passedOn } = (found.at(-1) as { body: ForwardedSos }).body;
    t.same(identity, { userId: 'rider-1', role: 'rider' });
    t.ok(Check(SosTriggerSchema, passedOn));
    t.match(passedOn, { alertId, triggeredAt, location: { lat: 41.15, lng: -8.61 }, note: 'n'.repeat(500) });
  };

  socket.send({ type: 'sos', id: 7, ...trigger, ...faulty });
  t.match(await socket.next('sos_accepted'), { id: 7, triggerId: alertId });
  await isForwarded(1, trigger.triggeredAt);

  for (let count = 0; count < 20; count += 1) socket.send({ type: 'ping', id: count });
  socket.send({ type: 'sos', id: 'eight', alertId, triggeredAt: 'now', ...faulty });
  t.match(await socket.next('sos_accepted'), { id: undefined, triggerId: alertId });
  await isForwarded(2, /Z$/);
  t.equal(await realtime.metric('sos_fields_dropped_total', { field: 'batteryPercent' }), 2);
  t.equal(await realtime.metric('sos_fields_dropped_total', { field: 'triggeredAt' }), 1);
  t.equal(await realtime.metric('sos_fields_dropped_total', { field: 'device' }), 0);

  const said = lines.filter((line) => line.includes('parts of a press not taken')).map((line) => JSON.parse(line));
  t.match(said, [{ triggerId: alertId, parts: ['location.accuracyMeters', 'batteryPercent', 'note', 'other'] }, {}]);
  t.notOk(
    lines.some((line) => line.includes('nnnn') || line.includes('41.15')),
    'no log says what stood there',
  );
});

t.test('a press is taken also where the phone has sent more frames than it may', async (t) => {
  const api = await listen(t, onSos({ status: 201, body: accepted }));
  const env = { INTERNAL_API_URLS: api.url, MAX_FRAMES_PER_SECOND: '3', MAX_BAD_FRAMES: '1000' };
  const realtime = await startTestRealtime(t, { env });
  const socket = await realtime.connect('driver-1', 'driver');

  for (let count = 0; count < 20; count += 1) socket.send({ type: 'ping', id: count });
  socket.send({ type: 'sos', ...trigger });

  await socket.next('sos_accepted');
  t.ok(socket.all('error').length > 0, 'the others were refused');
});

t.test('an alert’s topic is for whom the api says, and asked again', async (t) => {
  let mayRead = true;
  const api = await listen(t, (path, body) => {
    if (path !== '/internal/sos-access') return { status: 404, body: {} };
    const { questions } = body as { questions: { userId: string }[] };
    return {
      status: 200,
      body: { allowed: questions.map(({ userId }) => userId === 'olga' || (mayRead && userId === 'rider-1')) },
    };
  });
  const realtime = await startTestRealtime(t, { env: { INTERNAL_API_URLS: api.url } });
  const publishEvent = createPublishEvent({ redis: realtime.redis.commands, keys: realtime.keys });
  const topic = `sos:${alertId}`;
  const [own, other, operator] = [
    await realtime.connect('rider-1', 'rider'),
    await realtime.connect('rider-2', 'rider'),
    await realtime.connect('olga', 'operator'),
  ];
  for (const socket of [own, other, operator]) socket.send({ type: 'sub', id: 1, topic });

  await own.next('subscribed');
  await operator.next('subscribed');
  t.match(await other.next('error'), { id: 1, topic, code: 'not_found' });
  const event = { name: 'sos.raised', alertId, at: '2026-03-01T08:00:01.000Z', version: 1, state: 'open' };
  await publishEvent(topic, event);
  t.match(await own.next('event'), { topic, event, mustAck: true });
  await operator.next('event');

  mayRead = false;
  t.match(await own.next('unsubscribed'), { topic, reason: 'forbidden' });
  await publishEvent(topic, { ...event, version: 2 });
  t.match(await operator.next('event', ({ offset }) => offset === 2), { event: { version: 2 } });
  t.equal(own.all('event').filter(({ offset }) => offset === 2).length, 0);
  t.equal(other.all('event').length, 0);
});

t.test('of whom nobody can say tries again, or leaves; the others are decided', async (t) => {
  let isReadable = false;
  const api = await listen(t, (path, body) => {
    if (path !== '/internal/sos-access') return { status: 404, body: {} };
    const { questions } = body as { questions: { userId: string }[] };
    const isKnown = ({ userId }: { userId: string }) => isReadable || userId === 'olga';
    return {
      status: 200,
      body: {
        allowed: questions.map(isKnown),
        views: questions.map((question) => (isKnown(question) ? { as: 'contact' } : null)),
        unknown: questions.flatMap((question, index) => (isKnown(question) ? [] : [index])),
      },
    };
  });
  const realtime = await startTestRealtime(t, { env: { INTERNAL_API_URLS: api.url } });
  const topic = `sos:${alertId}`;
  const [contact, operator] = [await realtime.connect('asha', 'rider'), await realtime.connect('olga', 'operator')];
  operator.send({ type: 'sub', id: 1, topic });
  await operator.next('subscribed');

  contact.send({ type: 'sub', id: 1, topic });
  t.match(await contact.next('error'), { id: 1, code: 'access_unavailable', retryable: true });
  isReadable = true;
  contact.send({ type: 'sub', id: 2, topic });
  await contact.next('subscribed');

  isReadable = false;
  t.match(await contact.next('unsubscribed'), { topic, reason: 'forbidden' });
  t.same(operator.all('unsubscribed'), []);
});

t.test('where nobody can say whose alert it is, the client is told to try again', async (t) => {
  const realtime = await startTestRealtime(t);
  const socket = await realtime.connect('rider-1', 'rider');

  socket.send({ type: 'sub', id: 1, topic: `sos:${alertId}` });

  t.match(await socket.next('error'), { id: 1, code: 'access_unavailable', retryable: true });
});
