import { createHmac, createPrivateKey, sign } from 'node:crypto';
import type { ErrorCode } from '@hushryd/contracts/errors';
import type { DropReason } from '@hushryd/contracts/fix';
import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import { jsonSubprotocol, realtimeLimits, ticketSubprotocolPrefix } from '@hushryd/contracts/realtime/limits';
import { testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t, { type Test } from 'tap';
import { createIssuer, fix, openSocket, startTestRealtime, type TestSocket, trip } from './start-realtime.ts';

const origin = 'https://rider.example';

interface Refusal {
  status: number;
  headers: Record<string, string>;
  problem: { code: ErrorCode; status: number; correlationId: string };
}

const refusal = (attempt: Promise<TestSocket>): Promise<Refusal> =>
  attempt.then(
    (socket) => {
      socket.ws.terminate();
      throw new Error('the socket was let in');
    },
    (error: unknown) => error as Refusal,
  );

t.test('a socket is refused before 101, with a named problem', async (t) => {
  const node = await startTestRealtime(t, { env: { ALLOWED_ORIGINS: origin } });
  const { issuer } = node;
  const good = issuer.token('rider-1', 'rider');
  const [header, claims] = good.split('.') as [string, string, string];
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
  const signed = (head: object, body: object) => {
    const text = `${encode(head)}.${encode(body)}`;
    return `${text}.${sign(null, Buffer.from(text), createPrivateKey(issuer.privateKeyPem)).toString('base64url')}`;
  };
  const hmac = (text: string) => createHmac('sha256', issuer.publicKeyPem).update(text).digest('base64url');
  const confused = `${encode({ ...decode(header), alg: 'HS256' })}.${claims}`;
  const now = Math.floor(Date.now() / 1000);

  const tokens: [name: string, token: string, code: ErrorCode][] = [
    [
      'an expired token',
      signed(decode(header), { ...decode(claims), iat: now - 700, nbf: now - 700, exp: now - 60 }),
      'token_expired',
    ],
    [
      'a token in the tolerance after its end',
      signed(decode(header), { ...decode(claims), iat: now - 700, nbf: now - 700, exp: now - 5 }),
      'token_expired',
    ],
    ['a token of another issuer’s key', createIssuer().token('rider-1', 'rider'), 'token_invalid'],
    [
      'changed claims under an old signature',
      `${header}.${encode({ ...decode(claims), role: 'operator' })}.${good.split('.')[2]}`,
      'token_invalid',
    ],
    ['alg none', `${encode({ ...decode(header), alg: 'none' })}.${claims}.`, 'token_invalid'],
    ['no signature', `${header}.${claims}.`, 'token_invalid'],
    ['the public key as HMAC secret', `${confused}.${hmac(confused)}`, 'token_invalid'],
    ['an unknown kid', signed({ ...decode(header), kid: '../../etc/passwd' }, decode(claims)), 'token_invalid'],
    [
      'an operator with the audience of users',
      signed(decode(header), { ...decode(claims), role: 'operator' }),
      'token_invalid',
    ],
    ['a token of 100 KiB', 'a'.repeat(100_000), 'token_invalid'],
    ['no token at all', '', 'token_missing'],
  ];
  for (const [name, token, code] of tokens) {
    await t.test(name, async (t) => {
      // uWS itself cuts a header block this large: no answer, and no socket either.
      const { problem, status } = await refusal(openSocket(node.url, { token }));
      if (name === 'a token of 100 KiB') t.notOk(status === 101);
      else t.match({ status, code: problem.code }, { status: 401, code });
    });
  }

  await t.test('a foreign origin, also with a good token', async (t) => {
    const { status, problem, headers } = await refusal(
      openSocket(node.url, { token: good, origin: 'https://evil.example' }),
    );

    t.match({ status, code: problem.code }, { status: 403, code: 'origin_refused' });
    t.equal(headers['content-type'], 'application/problem+json; charset=utf-8');
    t.ok(problem.correlationId);
  });

  await t.test('a subprotocol that we do not speak', async (t) => {
    const { status, problem } = await refusal(openSocket(node.url, { token: good, protocols: ['hushryd.v9'] }));
    t.match({ status, code: problem.code }, { status: 400, code: 'request_invalid' });
  });

  const openByTicket = (ticket: string, from: string) =>
    openSocket(node.url, { protocols: [jsonSubprotocol, ticketSubprotocolPrefix + ticket], origin: from });

  await t.test('a ticket opens one socket, from its own origin', async (t) => {
    // The first ticket socket of an idle node may be cut at its upgrade (connections/upgrade.ts says why): clients come back.
    const open = async () => {
      const ticket = await node.issueTicket('rider-1', 'rider', origin);
      const socket = await openByTicket(ticket, origin);
      return { ticket, socket, ready: await socket.next('ready') };
    };
    const { ticket, socket, ready } = await open().catch(open);
    t.match(ready, { expiresAtMs: Number });
    t.equal(socket.ws.protocol, jsonSubprotocol);
    socket.ws.terminate();

    t.match(await refusal(openByTicket(ticket, origin)), { status: 401, problem: { code: 'ticket_invalid' } });
    t.match(await refusal(openByTicket('A'.repeat(32), origin)), { problem: { code: 'ticket_invalid' } });
    const bound = await node.issueTicket('rider-1', 'rider', 'https://other.example');
    t.match(await refusal(openByTicket(bound, origin)), { problem: { code: 'ticket_invalid' } });
  });

  await t.test('of ten who race with one ticket, one gets in', async (t) => {
    const ticket = await node.issueTicket('rider-2', 'rider', origin);
    const attempts = await Promise.allSettled(Array.from({ length: 10 }, () => openByTicket(ticket, origin)));
    const opened = attempts.filter(({ status }) => status === 'fulfilled');
    t.equal(opened.length, 1);
    for (const attempt of attempts) if (attempt.status === 'fulfilled') attempt.value.ws.terminate();
  });

  await t.test('a plain request for the socket path', async (t) => {
    const response = await fetch(node.url.replace('ws:', 'http:'));
    t.match([response.status, await response.json()], [400, { code: 'request_invalid' }]);
  });
});

t.test('a user has five sockets, wherever they are', async (t) => {
  const first = await startTestRealtime(t);
  const second = await startTestRealtime(t, { redis: first.server, issuer: first.issuer });
  const sockets = [];
  for (const node of [first, second, first, second, first]) sockets.push(await node.connect('rider-1', 'rider'));

  const sixth = await openSocket(second.url, { token: first.issuer.token('rider-1', 'rider') });
  t.match(await sixth.ended(), { code: closeCodes.tryAgainLater, reason: 'too_many_sockets' });
  t.same(sixth.frames, [], 'it was told nothing');
  for (let socket = 0; socket < 5; socket += 1) await second.connect('rider-2', 'rider');
  const seventh = await refusal(openSocket(second.url, { token: first.issuer.token('rider-2', 'rider') }));
  t.match(seventh, { status: 429, problem: { code: 'too_many_sockets' }, headers: { 'retry-after': /^\d+$/ } });

  sockets[0]?.ws.close();
  const again = await waitFor(() => second.connect('rider-1', 'rider'), { withinMs: 5000, what: 'the freed place' });
  t.ok(again);

  // A node that dies gives nothing back: its places count no more once its own lease has ended.
  const leases = first.keys.userSockets('rider-3');
  for (let socket = 0; socket < 5; socket += 1) {
    await first.redis.commands.zadd(leases, Date.now() + 600_000, `realtime-dead/${socket}`);
  }
  t.ok(await second.connect('rider-3', 'rider'));
});

t.test('close codes of clients’ own are counted as one', async (t) => {
  const node = await startTestRealtime(t);
  for (const code of [4321, 4322, 4401]) {
    const socket = await node.connect(`rider-${code}`, 'rider');
    socket.ws.close(code);
    await socket.ended();
  }
  await waitFor(async () => (await node.metric('realtime_ended_total')) === 3, { withinMs: 5000, what: 'the ends' });

  t.equal(await node.metric('realtime_ended_total', { code: 'other' }), 2);
  t.equal(await node.metric('realtime_ended_total', { code: '4401' }), 1);
});

t.test('nodes share the rate at which all together take sockets', async (t) => {
  const crowd = 20;
  const serverRate = 4;
  const issuer = createIssuer();
  const redis = await testRedis(t);
  const start = () => startTestRealtime(t, { redis, issuer, env: { MAX_SERVER_ACCEPTS_PER_SECOND: `${serverRate}` } });
  const one = await start();
  await start();
  await waitFor(async () => (await one.metric('realtime_alive_nodes')) === 2, {
    withinMs: 10_000,
    what: 'the first node to see the second',
  });

  const sockets = await Promise.all(
    Array.from({ length: crowd }, (_, index) =>
      openSocket(one.url, { token: issuer.token(`rider-${index}`, 'rider') }),
    ),
  );
  await waitFor(() => sockets.every(({ frames }) => frames.length > 0), {
    withinMs: 5000,
    what: 'a word to everybody',
  });

  // The last is told how long the crowd takes. Alone, this node would take it in half the time.
  const hints = sockets.flatMap(({ frames: [frame] }) => (frame?.type === 'busy' ? [frame.retryInMs] : []));
  const aloneMs = 1000 + (crowd / serverRate) * 1000;
  t.ok(Math.max(...hints) > 1.25 * aloneMs, `the last one is to come back after ${Math.max(...hints)} ms`);
});

t.test('sockets above the rate of the node hear when to come back', async (t) => {
  const node = await startTestRealtime(t, { env: { MAX_ACCEPTS_PER_SECOND: '2' } });
  const attempts = Array.from({ length: 8 }, (_, index) =>
    openSocket(node.url, { token: node.issuer.token(`rider-${index}`, 'rider') }),
  );

  const sockets = await Promise.all(attempts);
  await waitFor(() => sockets.every(({ frames }) => frames.length > 0), {
    withinMs: 5000,
    what: 'a word to everybody',
  });
  const refused = sockets.filter(({ frames }) => frames[0]?.type === 'busy');
  t.ok(refused.length >= 4, `${refused.length} of 8 refused`);
  t.ok(refused.length < 8, 'the others are let in');
  for (const { frames, ended } of refused) {
    t.match(frames, [{ type: 'busy', retryInMs: Number }]);
    t.match(await ended(), { code: closeCodes.tryAgainLater, reason: 'overloaded' });
  }
  const hints = refused.flatMap(({ frames: [frame] }) => (frame?.type === 'busy' ? [frame.retryInMs] : []));
  t.ok(Math.min(...hints) >= 1000);
  t.ok(Math.max(...hints) - Math.min(...hints) >= 1000, 'one after the other');
  for (const { ws } of sockets) ws.terminate();
});

t.test('frames that break the protocol get a named error, and nothing is stored', async (t) => {
  const node = await startTestRealtime(t, { env: { MAX_BAD_FRAMES: '1000', MAX_FRAMES_PER_SECOND: '10000' } });
  await node.putTrip(trip('trip-9', { driverId: 'driver-9', passengerIds: [] }));
  const { socket, run } = await node.connectDriver('driver-1');
  const rider = await node.connect('rider-1', 'rider');
  const loc = (changes: object) => ({ type: 'loc', id: 3, run, from: 1, fixes: [fix(1)], ...changes });
  const withFix = (changes: Record<string, unknown>) => loc({ fixes: [fix(1, changes)] });

  const named: [name: string, from: TestSocket, frame: object | string, code: ErrorCode][] = [
    ['malformed JSON', socket, '{"type":', 'frame_malformed'],
    ['no object', socket, '42', 'frame_malformed'],
    ['null', socket, 'null', 'frame_malformed'],
    ['an unknown frame', socket, { type: 'teleport' }, 'frame_unknown'],
    ['a frame type that every object has', socket, { type: 'constructor' }, 'frame_unknown'],
    ['no type', socket, { id: 1 }, 'frame_unknown'],
    ['a text for a number', socket, withFix({ lat: '41' }), 'frame_invalid'],
    ['NaN, as JSON.stringify writes it', socket, withFix({ lat: Number.NaN }), 'frame_invalid'],
    ['NaN, literally', socket, JSON.stringify(loc({})).replace('41.15', 'NaN,"x":41.15'), 'frame_malformed'],
    [
      'a number beyond doubles',
      socket,
      JSON.stringify(withFix({ speedMps: 1 })).replace('"speedMps":1', '"speedMps":1e999'),
      'frame_invalid',
    ],
    ['a property too many', socket, withFix({ altitude: 3 }), 'frame_invalid'],
    ['__proto__', socket, JSON.stringify(loc({})).replace('"id":3', '"id":3,"__proto__":{"lat":1}'), 'frame_invalid'],
    ['no fixes', socket, loc({ fixes: [] }), 'frame_invalid'],
    [
      '101 fixes',
      socket,
      loc({ fixes: Array.from({ length: 101 }, (_, i) => ({ seq: i + 1, recordedAtMs: 1, lat: 1, lng: 1 })) }),
      'frame_invalid',
    ],
    ['seqs that fall', socket, loc({ fixes: [fix(2), fix(1)] }), 'frame_invalid'],
    ['a seq twice', socket, loc({ fixes: [fix(2), fix(2)] }), 'frame_invalid'],
    ['a seq below from', socket, loc({ from: 5, fixes: [fix(4)] }), 'frame_invalid'],
    ['seq 0', socket, withFix({ seq: 0 }), 'frame_invalid'],
    ['a seq above 32 bit', socket, withFix({ seq: 2 ** 32 }), 'frame_invalid'],
    ['a run of nobody', socket, loc({ run: run + 1 }), 'run_unknown'],
    ['a run far in the future', socket, { type: 'hello', id: 3, run: run * 2 }, 'run_unknown'],
    ['a trip id with a space', socket, loc({ tripId: 'trip 1' }), 'frame_invalid'],
    ['fixes from a rider', rider, loc({}), 'forbidden'],
    ['hello from a rider', rider, { type: 'hello', id: 3 }, 'forbidden'],
    ['the map for a rider', rider, { type: 'sub', id: 3, topic: 'admin:map' }, 'forbidden'],
    ['the map for a driver', socket, { type: 'sub', id: 3, topic: 'admin:map' }, 'forbidden'],
    ['somebody else’s driver topic', socket, { type: 'sub', id: 3, topic: 'driver:driver-9' }, 'forbidden'],
    ['a driver topic for a rider', rider, { type: 'sub', id: 3, topic: 'driver:driver-1' }, 'forbidden'],
    ['somebody else’s trip', rider, { type: 'sub', id: 3, topic: 'trip:trip-9' }, 'not_found'],
    ['a topic that is none', rider, { type: 'sub', id: 3, topic: 'weather:porto' }, 'not_found'],
    ['a topic with a pattern', rider, { type: 'sub', id: 3, topic: 'trip:*' }, 'not_found'],
    ['a topic beyond 80 characters', rider, { type: 'sub', id: 3, topic: `trip:${'a'.repeat(80)}` }, 'frame_invalid'],
    [
      'a trip that nobody can say anything of',
      rider,
      { type: 'sub', id: 3, topic: 'trip:trip-unknown' },
      'access_unavailable',
    ],
    ['a refresh that is no token', rider, { type: 'refresh', id: 3, token: 'abc' }, 'token_invalid'],
    [
      'a refresh of somebody else',
      rider,
      { type: 'refresh', id: 3, token: node.issuer.token('rider-2', 'rider') },
      'forbidden',
    ],
    [
      'a refresh with another role',
      rider,
      { type: 'refresh', id: 3, token: node.issuer.token('rider-1', 'driver') },
      'forbidden',
    ],
  ];
  for (const [name, from, frame, code] of named) {
    await t.test(name, async (t) => {
      from.send(frame);
      const error = await from.next('error');
      t.equal(error.code, code);
      if (typeof frame === 'object' && 'id' in frame && frame.id === 3) t.equal(error.id, 3);
      await livesOn(t, from);
    });
  }

  await t.test('a binary frame', async (t) => {
    socket.ws.send(Buffer.from(JSON.stringify(loc({}))));
    t.equal((await socket.next('error')).code, 'frame_malformed');
  });

  const dropped: [name: string, changes: Record<string, unknown>, reason: DropReason][] = [
    ['latitude 91', { lat: 91 }, 'out_of_range'],
    ['longitude −181', { lng: -181 }, 'out_of_range'],
    ['a battery of 101 %', { batteryPercent: 101 }, 'out_of_range'],
    ['a time of half a millisecond', { recordedAtMs: Date.now() + 0.5 }, 'out_of_range'],
    ['the future', { recordedAtMs: Date.now() + 600_000 }, 'future'],
    ['25 hours ago', { recordedAtMs: Date.now() - 25 * 3_600_000 }, 'too_old'],
    ['1970', { recordedAtMs: 0 }, 'too_old'],
    ['an accuracy of 5 km', { accuracyMeters: 5000 }, 'inaccurate'],
  ];
  for (const [index, [name, changes, reason]] of dropped.entries()) {
    await t.test(name, async (t) => {
      const seq = index + 1;
      socket.send(loc({ fixes: [fix(seq, changes)] }));
      t.match(await socket.next('recv'), { id: 3, run, seq, drops: [{ seq, reason }] });
    });
  }
  t.same(await node.stored(), { positions: 0, fixes: [] });
});

async function livesOn(t: Test, socket: TestSocket): Promise<void> {
  socket.send({ type: 'ping', id: 99 });
  t.ok(await socket.next('pong'));
}

t.test('fixes that name a trip of another driver count for the driver alone', async (t) => {
  const node = await startTestRealtime(t);
  await node.putTrip(trip('trip-9', { driverId: 'driver-9' }));
  const watcher = await node.connect('rider-1', 'rider');
  watcher.send({ type: 'sub', topic: 'trip:trip-9' });
  await watcher.next('subscribed');
  const { socket, run } = await node.connectDriver('driver-1');

  for (const seq of [1, 2]) {
    socket.send({ type: 'loc', id: seq, run, from: 1, tripId: 'trip-9', fixes: [fix(seq)] });
    t.match(await socket.next('recv'), { id: seq, seq });
  }

  t.match(await socket.next('error'), { code: 'not_found', topic: 'trip:trip-9', id: undefined });
  t.equal(socket.all('error').length, 1, 'said once');
  socket.send({ type: 'sub', topic: 'driver:driver-1' });
  t.match(await socket.next('position'), { position: { driverId: 'driver-1', tripId: undefined, seq: 2 } });
  await livesOn(t, watcher);
  t.equal(watcher.all('position').length, 0);
});

t.test('a socket that goes on breaking the rules is closed', async (t) => {
  const node = await startTestRealtime(t, { env: { MAX_SOCKETS_PER_USER: '50' } });
  const expectClose = async (send: (socket: TestSocket) => void, code: number): Promise<TestSocket> => {
    const socket = await node.connect('rider-1', 'rider');
    send(socket);
    t.equal((await socket.ended()).code, code);
    return socket;
  };

  await expectClose((socket) => socket.send(`"${'x'.repeat(realtimeLimits.frameBytes)}"`), closeCodes.frameTooLarge);
  await expectClose((socket) => socket.send(`"${'x'.repeat(40_000)}"`), 1006);
  const flood = await expectClose((socket) => {
    for (let sent = 0; sent < 200; sent += 1) socket.send({ type: 'ping' });
  }, closeCodes.policyViolation);
  t.equal(flood.all('error')[0]?.code, 'too_many_frames', 'told before it was closed');
  t.ok(flood.all('pong').length >= 2 * realtimeLimits.framesPerSecond, 'a burst of two seconds is answered');
  await expectClose((socket) => {
    for (let sent = 0; sent < 30; sent += 1) socket.send('{');
  }, closeCodes.policyViolation);

  const crowded = await node.connect('operator-1', 'operator');
  for (let driver = 0; driver <= realtimeLimits.topicsPerSocket; driver += 1) {
    crowded.send({ type: 'sub', topic: `driver:driver-${driver}` });
  }
  t.match(await crowded.next('error'), {
    code: 'too_many_topics',
    topic: `driver:driver-${realtimeLimits.topicsPerSocket}`,
  });
  t.equal(crowded.ws.readyState, 1);
});

t.test('a socket ends with its token, unless it is refreshed in band', async (t) => {
  const node = await startTestRealtime(t);
  const token = node.issuer.token('rider-1', 'rider', 1000);
  const refreshed = await openSocket(node.url, { token });
  const silent = await openSocket(node.url, { token });
  refreshed.send({ type: 'refresh', id: 5, token: node.issuer.token('rider-1', 'rider') });
  const { expiresAtMs } = await refreshed.next('refreshed');
  t.ok(expiresAtMs > Date.now() + 60_000);

  const { code } = await silent.ended();

  t.equal(code, closeCodes.tokenExpired);
  await livesOn(t, refreshed);
  refreshed.ws.terminate();
});
