import type { Revocation } from '@hushryd/contracts/http/sessions';
import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import { userTopic } from '@hushryd/contracts/realtime/topics';
import { createRealtimeNodes } from '@hushryd/platform/nodes/realtime-nodes';
import { markFilled } from '@hushryd/platform/redis/layout';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createPublishEvent } from '@hushryd/platform/topics/publish-event';
import { createAccessOrders } from '@hushryd/tracking/access-log/access-orders';
import { createRevocationPublisher } from '@hushryd/tracking/revocations/revocation-publisher';
import t from 'tap';
import { openSocket, startTestRealtime, type TestSocket, trip } from './start-realtime.ts';

// Sessions that end, topics of one person, alerts that want an answer, and what operators see and do; on two nodes.

const one = await startTestRealtime(t);
const two = await startTestRealtime(t, { redis: one.server, issuer: one.issuer });
const { redis, keys } = one;
const revocations = createRevocationPublisher({ redis: redis.commands, keys });
const publishEvent = createPublishEvent({ redis: redis.commands, keys });
const nodes = createRealtimeNodes({ redis: redis.commands, keys });
const within = { withinMs: 10_000 };

let version = 0;
const revoke = (userId: string, changes: Partial<Revocation>) => {
  version += 1;
  return revocations.publish({
    userId,
    version,
    issuedBeforeMs: 0,
    tokenIds: [],
    reason: 'signed_out',
    expiresAtMs: Date.now() + 600_000,
    ...changes,
  });
};
/** Tokens count in whole seconds; one of the next second was issued after. */
const nextSecond = () => waitFor(() => Date.now() % 1000 < 500 && Date.now(), { ...within, what: 'the next second' });

function tokenIdOf(token: string): string {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString()) as { jti: string };
  return claims.jti;
}

async function upgradeRefusal(url: string, token: string): Promise<string> {
  try {
    const socket = await openSocket(url, { token });
    socket.ws.terminate();
    return 'let in';
  } catch (error) {
    return (error as { problem?: { code: string } }).problem?.code ?? String(error);
  }
}

t.test('who is signed out everywhere loses every socket on every node, and gets none with an old token', async (t) => {
  const token = one.issuer.token('sam', 'rider');
  const sockets: TestSocket[] = [];
  for (const node of [one, two]) {
    const socket = await openSocket(node.url, { token });
    t.teardown(() => socket.ws.terminate());
    await socket.next('ready');
    sockets.push(socket);
  }
  const other = await one.connect('sarah', 'rider');

  await revoke('sam', { issuedBeforeMs: Date.now() + 1 });

  for (const socket of sockets) t.equal((await socket.ended()).code, closeCodes.sessionEnded);
  for (const node of [one, two]) t.equal(await upgradeRefusal(node.url, token), 'token_revoked');
  t.equal(other.ws.readyState, other.ws.OPEN, 'and nobody else');
  await nextSecond();
  await waitFor(async () => (await upgradeRefusal(one.url, one.issuer.token('sam', 'rider'))) === 'let in', {
    ...within,
    what: 'a socket with a token issued later',
  });
});

t.test(
  'one session of several is signed out by its token; who has another role comes back with a new one',
  async (t) => {
    const tokens = [one.issuer.token('tina', 'rider'), one.issuer.token('tina', 'rider')];
    const [gone, kept] = (await Promise.all(tokens.map((token) => openSocket(one.url, { token })))) as [
      TestSocket,
      TestSocket,
    ];
    t.teardown(() => kept.ws.terminate());
    await revoke('tina', { tokenIds: [tokenIdOf(tokens[0] as string)] });
    t.equal((await gone.ended()).code, closeCodes.sessionEnded);
    kept.send({ type: 'ping', id: 1 });
    await kept.next('pong');
    kept.send({ type: 'refresh', id: 2, token: tokens[0] as string });
    t.match(await kept.next('error'), { id: 2, code: 'token_revoked' });

    await revoke('tina', { issuedBeforeMs: Date.now() + 1, reason: 'role_changed' });
    t.equal((await kept.ended()).code, closeCodes.tokenExpired);
  },
);

t.test('a session that is signed out loses its sockets, whichever of its tokens they have', async (t) => {
  const tokenOf = (sessionId: string, lifetimeMs = 600_000) =>
    one.issuer.sessionToken({ userId: 'tom', role: 'rider', sessionId, lifetimeMs });
  const [older, refreshed, other] = (await Promise.all(
    [tokenOf('phone'), tokenOf('phone'), tokenOf('tablet')].map((token) => openSocket(two.url, { token })),
  )) as [TestSocket, TestSocket, TestSocket];
  t.teardown(() => other.ws.terminate());
  await refreshed.next('ready');
  refreshed.send({ type: 'refresh', id: 1, token: tokenOf('phone', 800_000) });
  await refreshed.next('refreshed');

  await revoke('tom', { sessionIds: ['phone'], reason: 'role_changed', issuedBeforeMs: 1 });
  for (const socket of [older, refreshed]) t.equal((await socket.ended()).code, closeCodes.sessionEnded);
  t.equal(await upgradeRefusal(two.url, tokenOf('phone')), 'token_revoked', 'nor does a later one open another');
  other.send({ type: 'ping', id: 2 });
  await other.next('pong');
  other.send({ type: 'refresh', id: 3, token: tokenOf('phone') });
  t.match(await other.next('error'), { id: 3, code: 'token_revoked' });
});

t.test('a device that signs out stays away, also where a change of role is on record', async (t) => {
  const token = one.issuer.token('thea', 'rider');
  const device = await openSocket(one.url, { token });
  t.teardown(() => device.ws.terminate());
  await device.next('ready');
  await revoke('thea', { reason: 'role_changed', issuedBeforeMs: 1, tokenIds: [tokenIdOf(token)] });
  t.equal((await device.ended()).code, closeCodes.sessionEnded);
});

t.test('a revocation from before the node was there is known to it', async (t) => {
  const token = one.issuer.token('uwe', 'rider');
  await revoke('uwe', { issuedBeforeMs: Date.now() + 1 });
  const late = await startTestRealtime(t, { redis: one.server, issuer: one.issuer });
  t.equal(await upgradeRefusal(late.url, token), 'token_revoked');
});

t.test('what is said to a user reaches all of their devices on all nodes, in order, and nobody else', async (t) => {
  const topic = userTopic('vera');
  const phone = await one.connect('vera', 'rider');
  const tablet = await two.connect('vera', 'rider');
  const stranger = await two.connect('walter', 'rider');
  stranger.send({ type: 'sub', id: 1, topic });
  t.match(await stranger.next('error'), { code: 'forbidden' });
  for (const device of [phone, tablet]) {
    device.send({ type: 'sub', id: 1, topic });
    t.match(await device.next('subscribed'), { topic });
  }

  for (let n = 1; n <= 5; n += 1) {
    await publishEvent(topic, { name: 'notice', noticeId: `n${n}`, at: new Date().toISOString(), title: 'Hello' });
  }
  for (const device of [phone, tablet]) {
    await device.next('event', ({ offset }) => offset === 5);
    t.strictSame(
      device.all('event').map(({ offset, event }) => [offset, 'noticeId' in event && event.noticeId]),
      [1, 2, 3, 4, 5].map((n) => [n, `n${n}`]),
    );
  }

  const { epoch, offset } = phone.all('event')[1] as { epoch: string; offset: number };
  const comesBack = await two.connect('vera', 'rider');
  comesBack.send({ type: 'sub', id: 2, topic, epoch, offset });
  t.match(await comesBack.next('subscribed'), { recovered: true, offset: 5 });
  await comesBack.next('event', (event) => event.offset === 5);
  t.strictSame(
    comesBack.all('event').map((event) => event.offset),
    [3, 4, 5],
  );
  comesBack.send({ type: 'sub', id: 3, topic, epoch: 'another', offset });
  t.match(await comesBack.next('subscribed', ({ id }) => id === 3), { recovered: false, offset: 5 });
  comesBack.send({ type: 'sub', id: 4, topic, epoch });
  t.match(await comesBack.next('error'), { id: 4, code: 'frame_invalid' });
});

t.test('an alert is repeated until it is acknowledged, and filters leave nothing out silently', async (t) => {
  const topic = 'admin:sos';
  const drill = (alertId: string) => publishEvent(topic, { name: 'sos.drill', alertId, at: new Date().toISOString() });
  const rider = await one.connect('xenia', 'rider');
  rider.send({ type: 'sub', id: 1, topic });
  t.match(await rider.next('error'), { code: 'forbidden' });

  const desk = await one.connect('olga', 'operator');
  const narrow = await two.connect('otto', 'operator');
  desk.send({ type: 'sub', id: 1, topic });
  narrow.send({ type: 'sub', id: 1, topic, filter: { text: 'b' } });
  const started = await desk.next('subscribed');
  await narrow.next('subscribed');
  const from = started.offset ?? 0;

  for (const alertId of ['a1', 'a2', 'b1', 'a3', 'b2']) await drill(alertId);
  const { epoch } = await desk.next('event', ({ offset, mustAck }) => mustAck === true && offset === from + 5);
  await narrow.next('event', ({ offset }) => offset === from + 5);
  t.strictSame(
    narrow.all('event').map(({ offset, after }) => [offset - from, after === undefined ? undefined : after - from]),
    [
      [3, 0],
      [5, 3],
    ],
  );

  desk.send({ type: 'ack', topic, epoch, offset: from + 3 });
  await waitFor(() => desk.all('event').filter(({ offset }) => offset === from + 5).length >= 2, {
    ...within,
    what: 'a repetition',
  });
  desk.send({ type: 'ack', topic, epoch, offset: from + 5 });
  const timesSaid = () => desk.all('event').map(({ offset }) => offset - from);
  t.equal(timesSaid().filter((offset) => offset === 1).length, 1, 'what was acknowledged is not said again');
  t.ok((await one.metric('realtime_sos_repeated_total')) >= 2);
});

t.test('a quiet topic says once more how far it is', async (t) => {
  const { socket, run } = await one.connectDriver('yara');
  await one.putTrip(trip('trip-beacon', { driverId: 'yara', passengerIds: ['zoe'] }), 'trip.started');
  const zoe = await two.connect('zoe', 'rider');
  zoe.send({ type: 'sub', id: 1, topic: 'trip:trip-beacon' });
  await zoe.next('subscribed');
  const fix = { seq: 1, recordedAtMs: Date.now(), lat: 41.15, lng: -8.61 };
  socket.send({ type: 'loc', id: 1, run, from: 1, tripId: 'trip-beacon', fixes: [fix] });
  await zoe.next('position');

  t.match(await zoe.next('beacon', (beacon) => beacon.seq !== undefined), { topic: 'trip:trip-beacon', run, seq: 1 });
  t.match(await zoe.next('beacon', (beacon) => beacon.offset !== undefined), { topic: 'trip:trip-beacon', offset: 1 });
});

t.test('operators see who is connected where, and can end one socket on any node', async (t) => {
  const device = await two.connect('zora', 'driver');
  device.send({ type: 'sub', id: 1, topic: 'driver:zora' });
  await device.next('subscribed');

  const stats = await waitFor(
    async () => {
      const said = await nodes.readStats();
      return said.some(({ subscriptions }) => (subscriptions.driver ?? 0) > 0) ? said : undefined;
    },
    { ...within, what: 'what the nodes say' },
  );
  t.ok(stats.length >= 2);
  const sum = stats.reduce((total, { connections }) => total + connections, 0);
  t.ok(sum >= 1);

  const [socket] = await nodes.socketsOf('zora');
  t.ok(socket);
  const connectionId = socket?.connectionId ?? '';
  const orders = createAccessOrders({ redis: redis.commands, keys });
  await orders.end({ userId: 'zelda', connectionId });
  // The same log: once this order was carried out, the one before it was.
  const other = await two.connect('zelda', 'rider');
  const ofZelda = await waitFor(async () => (await nodes.socketsOf('zelda'))[0], { ...within, what: 'its lease' });
  await orders.end({ userId: 'zelda', connectionId: ofZelda.connectionId });
  t.equal((await other.ended()).code, closeCodes.endedByOperator);
  t.equal(device.ws.readyState, device.ws.OPEN, "an order for another user's socket does nothing");

  await orders.end({ userId: 'zora', connectionId });
  t.equal((await device.ended()).code, closeCodes.endedByOperator);
  await waitFor(async () => (await nodes.socketsOf('zora')).length === 0, { ...within, what: 'the end of its lease' });
});

t.test('when Redis has lost which sockets there are, they are written again, and end with their tokens', async (t) => {
  const phone = await one.connect('lena', 'rider');
  const tablet = await two.connect('lena', 'rider');
  const socketIds = async () => (await nodes.socketsOf('lena')).map(({ connectionId }) => connectionId).sort();
  const leases = (what: string) =>
    waitFor(async () => ((await socketIds()).length === 2 ? socketIds() : undefined), { ...within, what });
  const before = await leases('the leases');

  // One by one: on a cluster they may lie on different servers.
  for (const key of [keys.userSockets('lena'), keys.realtimeNodes()]) await redis.commands.del(key);
  t.same(await leases('the leases, written again'), before);
  t.ok((await redis.commands.pttl(keys.userSockets('lena'))) > 0);
  for (const socket of [phone, tablet]) socket.ws.terminate();
});

t.test('nobody changes a log by asking for a place that it never had', async (t) => {
  const topic = userTopic('wanda');
  const notice = (n: number) =>
    publishEvent(topic, { name: 'notice', noticeId: `w${n}`, at: new Date().toISOString(), title: 'Hello' });
  const { epoch } = await notice(1);
  await notice(2);
  const phone = await one.connect('wanda', 'rider');
  for (const [id, seen] of [
    { epoch, offset: 999_999 },
    { epoch: '', offset: 999_999 },
    { epoch: 'another', offset: 1 },
  ].entries()) {
    phone.send({ type: 'sub', id, topic, ...seen });
    t.match(await phone.next('subscribed', (frame) => frame.id === id), { epoch, offset: 2 });
  }

  const tablet = await two.connect('wanda', 'rider');
  tablet.send({ type: 'sub', id: 9, topic, epoch, offset: 1 });
  t.match(await tablet.next('subscribed'), { recovered: true, epoch, offset: 2 });
  t.match(await tablet.next('event'), { offset: 2 });
});

t.test('a node that starts on an emptied Redis lets nobody in before it knows whose tokens were revoked', async (t) => {
  const node = await startTestRealtime(t, { isFilled: false });
  t.equal(await upgradeRefusal(node.url, node.issuer.token('yara', 'rider')), 'access_unavailable');

  await markFilled({ redis: node.redis.commands, keys: node.keys });
  await waitFor(async () => (await upgradeRefusal(node.url, node.issuer.token('yara', 'rider'))) === 'let in', {
    ...within,
    what: 'a socket once Redis is filled',
  });
});

t.test('whoever has no good token takes no place of those who have', async (t) => {
  const node = await startTestRealtime(t, { env: { MAX_ACCEPTS_PER_SECOND: '1' } });
  for (let turn = 0; turn < 20; turn += 1) t.equal(await upgradeRefusal(node.url, 'nonsense'), 'token_invalid');
  const socket = await node.connect('xaver', 'rider');
  t.equal(socket.ws.readyState, socket.ws.OPEN);
});

t.test('a flood of pings is cut, a client that pings now and then is not', async (t) => {
  const node = await startTestRealtime(t, { env: { MAX_FRAMES_PER_SECOND: '5', MAX_BAD_FRAMES: '5' } });
  const calm = await node.connect('yves', 'rider');
  const flood = await node.connect('zeno', 'rider');
  for (let turn = 0; turn < 5; turn += 1) calm.ws.ping();
  for (let turn = 0; turn < 200; turn += 1) flood.ws.ping();
  t.equal((await flood.ended()).code, closeCodes.policyViolation);
  calm.send({ type: 'ping', id: 1 });
  await calm.next('pong');
});
