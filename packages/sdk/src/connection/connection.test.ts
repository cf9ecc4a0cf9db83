import { closeCodes, mayReconnect } from '@hushryd/contracts/realtime/close-codes';
import { test } from 'tap';
import { createFakeApi, problem } from '../../test/support/fake-api.ts';
import { createFakeSockets } from '../../test/support/fake-socket.ts';
import { createManualRuntime } from '../../test/support/manual-runtime.ts';
import { backoffDelayMs } from './backoff.ts';
import { createConnection } from './connection.ts';
import type { ConnectionOptions } from './connection-options.ts';
import { createFrameRate } from './frame-rate.ts';
import { refreshDelayMs } from './token-refresh.ts';

function setUp(options: Partial<ConnectionOptions> = {}) {
  const runtime = createManualRuntime();
  const sockets = createFakeSockets(runtime.now);
  const api = createFakeApi();
  let tokens = 0;
  const connection = createConnection({
    realtimeUrl: 'https://realtime.example',
    apiUrl: 'https://api.example/',
    getToken: () => `token-${++tokens}`,
    createSocket: sockets.createSocket,
    fetch: api.fetch,
    ...runtime,
    ...options,
  });
  const states: string[] = [];
  connection.on('state', ({ name }) => states.push(name));
  const goLive = async (fields?: Parameters<typeof sockets.last.ready>[0]) => {
    void connection.connect();
    await runtime.settle();
    sockets.last.ready(fields);
    await runtime.settle();
  };
  return { runtime, sockets, api, connection, states, goLive };
}

test('connects with a single-use ticket as second subprotocol, never a token in the address', async (t) => {
  const { sockets, api, connection, states, runtime } = setUp();

  const live = connection.connect();
  await runtime.settle();
  t.equal(api.requests[0]?.url, 'https://api.example/v1/realtime/tickets');
  t.equal(api.requests[0]?.headers.authorization, 'Bearer token-1');
  t.equal(sockets.last.url, 'wss://realtime.example/v1/realtime');
  t.same(sockets.last.protocols, ['hushryd.v1', 'ticket.ticket-1']);
  t.same(sockets.last.headers, {});
  sockets.last.ready({ connectionId: 'c-7' });

  await live;
  t.same(connection.state, { name: 'live', transport: 'websocket', connectionId: 'c-7' });
  t.same(states, ['connecting', 'live']);
});

test('a native client sends its token as a header and needs no ticket', async (t) => {
  const { sockets, api, goLive } = setUp({ auth: 'bearer' });

  await goLive();

  t.same(sockets.last.protocols, ['hushryd.v1']);
  t.same(sockets.last.headers, { authorization: 'Bearer token-1' });
  t.equal(api.requests.length, 0);
});

test('headers cannot be set by the default socket, and the options say so', async (t) => {
  const options = { realtimeUrl: 'ws://a', apiUrl: 'http://a', getToken: () => '' };
  t.throws(() => createConnection({ ...options, auth: 'bearer' }), /createSocket/);
});

test('a lost socket comes back after full jitter that doubles up to its cap', async (t) => {
  const { runtime, sockets, connection, goLive } = setUp();
  await goLive();

  // random() is 0.5 here, so each wait is half of its window: 250 ms, 500 ms … 10 s.
  for (const expectedMs of [125, 250, 500, 1000, 2000, 4000, 5000, 5000]) {
    const before = sockets.all.length;
    sockets.last.close(1006);
    const { state } = connection;
    t.equal(state.name, 'reconnecting');
    if (state.name === 'reconnecting') t.equal(state.nextTryAtMs - runtime.now(), expectedMs);
    await runtime.advance(expectedMs - 1);
    t.equal(sockets.all.length, before, 'not earlier');
    await runtime.advance(1);
    t.equal(sockets.all.length, before + 1);
    // Accepted and dropped at once again: the wait must go on growing.
    sockets.last.ready();
    await runtime.settle();
  }

  await runtime.advance(10_000);
  sockets.last.close(1006);
  const { state } = connection;
  if (state.name === 'reconnecting') t.equal(state.nextTryAtMs - runtime.now(), 125, 'stable for 10 s: starts anew');
});

test('waits are spread over the whole window', async (t) => {
  let seed = 42;
  const random = () => {
    // Mulberry32: seeded, evenly distributed.
    seed = (seed + 0x6d2b79f5) | 0;
    let x = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296;
  };
  const tenths = new Array<number>(10).fill(0);

  for (let i = 0; i < 10_000; i += 1) {
    const delayMs = backoffDelayMs({ attempt: 3, random });
    tenths[Math.floor(delayMs / 200)]! += 1;
  }

  t.ok(
    tenths.every((count) => count > 850 && count < 1150),
    `each tenth of 2 s gets about a tenth: ${tenths.join(' ')}`,
  );
  t.ok(backoffDelayMs({ attempt: 2000, random }) < 10_000, 'no attempt exceeds the cap');
});

test('close codes decide whether a client comes back', async (t) => {
  const { draining, tryAgainLater, tokenExpired, slowConsumer, ...others } = closeCodes;
  for (const code of [1001, 1006, 1011, draining, tryAgainLater, tokenExpired, slowConsumer, 4499]) {
    const { sockets, connection, goLive } = setUp();
    await goLive();
    sockets.last.close(code);
    t.equal(connection.state.name, 'reconnecting', `${code} comes back`);
    t.ok(mayReconnect(code));
  }

  for (const code of [...Object.values(others), 1002, 1003, 1007, 4599]) {
    const { runtime, sockets, connection, goLive } = setUp();
    await goLive();
    sockets.last.close(code, 'because');
    await runtime.advance(3_600_000);
    t.same(
      connection.state,
      { name: 'closed', reason: 'ended_by_server', code, message: 'because' },
      `${code} stays away`,
    );
    t.equal(sockets.all.length, 1);
    t.equal(runtime.pendingTimers, 0, 'nothing is left running');
  }
});

test('a draining node is left when it closes, and the next try comes exactly when it asked for', async (t) => {
  const { runtime, sockets, goLive } = setUp();
  await goLive();

  sockets.last.say({ type: 'draining', retryInMs: 7300 });
  await runtime.advance(2000);
  sockets.last.close(1012);
  await runtime.advance(5299);
  t.equal(sockets.all.length, 1);
  await runtime.advance(1);

  t.equal(sockets.all.length, 2);
});

test('a busy server says before `ready` when to come back, and that is kept to', async (t) => {
  const { runtime, sockets, connection } = setUp();
  void connection.connect();
  await runtime.settle();

  sockets.last.say({ type: 'busy', retryInMs: 4200 });
  sockets.last.close(1013, 'overloaded');
  t.equal(connection.state.name, 'reconnecting');
  await runtime.advance(4199);
  t.equal(sockets.all.length, 1);
  await runtime.advance(1);
  t.equal(sockets.all.length, 2);
});

test('a draining node that never closes is left when it wanted us back', async (t) => {
  const { runtime, sockets, goLive } = setUp();
  await goLive();
  const first = sockets.last;

  first.say({ type: 'draining', retryInMs: 3000 });
  await runtime.advance(3000);

  t.notOk(first.isOpen);
  t.equal(sockets.all.length, 2);
});

test('answers of the ticket route: Retry-After is kept to, refusals end it, failures are repeated', async (t) => {
  t.test('429 waits as long as told, plus jitter', async (t) => {
    const { runtime, api, connection } = setUp();
    api.answers.push(problem(429, 'too_many_sockets', { 'retry-after': '7' }));
    void connection.connect();
    await runtime.settle();
    const { state } = connection;
    t.equal(state.name, 'reconnecting');
    if (state.name === 'reconnecting') t.equal(state.nextTryAtMs - runtime.now(), 7125);
  });

  t.test('an invalid token is asked for once more, then it is over', async (t) => {
    const { runtime, api, connection } = setUp();
    api.answers.push(problem(401, 'token_invalid'), problem(401, 'token_invalid'));
    const live = connection.connect();
    await runtime.advance(60_000);
    t.match(connection.state, { name: 'closed', reason: 'refused' });
    t.same(
      api.requests.map(({ headers }) => headers.authorization),
      ['Bearer token-1', 'Bearer token-2'],
    );
    await t.rejects(live, { code: 'closed' });
  });

  t.test('a session that was ended while nobody was connected is over', async (t) => {
    const { runtime, api, connection } = setUp();
    api.answers.push(problem(401, 'token_revoked'), problem(401, 'token_revoked'));
    void connection.connect();
    await runtime.advance(60_000);
    t.match(connection.state, { name: 'closed', reason: 'refused' });
    t.equal(api.requests.length, 2);
  });

  t.test('a refused token is named to whoever caches it, and the next is a second younger', async (t) => {
    const asked: (string | undefined)[] = [];
    let grant = 'revoked';
    const { runtime, api, sockets, connection } = setUp({
      getToken({ refused }) {
        asked.push(refused);
        // Of the same second as the revocation, then of the next.
        if (grant === refused) grant = refused === 'revoked' ? 'too early' : 'good';
        return grant;
      },
    });
    api.answers.push(problem(401, 'token_revoked'));
    void connection.connect();
    await runtime.settle();
    await runtime.advance(999);
    t.same(asked, [undefined], 'not within the second');
    // A phone whose network comes back asks at once.
    api.answers.push(problem(401, 'token_revoked'));
    void connection.connect();
    await runtime.settle();
    t.equal(connection.state.name, 'reconnecting', 'two refusals within a second are one');
    await runtime.advance(1_000 + 250);
    sockets.last.ready();
    await runtime.settle();
    t.equal(connection.state.name, 'live');
    t.same(asked, [undefined, 'revoked', 'too early']);
    t.equal(api.requests.at(-1)?.headers.authorization, 'Bearer good');

    sockets.last.close(closeCodes.tokenExpired);
    await runtime.advance(2_000);
    t.equal(asked.at(-1), 'good', 'a socket that ends with 4401 says that its token is no good any more');
  });

  t.test('where a bearer token may have been refused again, the provider hears of that one too', async (t) => {
    const asked: (string | undefined)[] = [];
    const { runtime, sockets, goLive } = setUp({
      auth: 'bearer',
      getToken({ refused }) {
        asked.push(refused);
        return `token-${asked.length}`;
      },
    });
    await goLive();
    sockets.last.close(1006);
    await runtime.advance(125);
    sockets.last.close(1006);
    await runtime.advance(250);
    t.same(asked, [undefined, undefined, undefined], 'a network that fails says nothing of the token');
    sockets.last.ready();
    sockets.last.close(closeCodes.tokenExpired);
    await runtime.advance(1_000);
    sockets.last.close(1006);
    await runtime.advance(2_000);
    t.same(asked.slice(3), ['token-3', 'token-4']);
    sockets.last.ready();
    await runtime.settle();
    sockets.last.close(1006);
    await runtime.advance(10_000);
    t.equal(asked.at(-1), undefined, 'until one was accepted');
  });

  t.test('an expired token is asked for again as often as it takes', async (t) => {
    const { runtime, api, sockets, connection } = setUp();
    api.answers.push(...Array.from({ length: 4 }, () => problem(401, 'token_expired')));
    void connection.connect();
    await runtime.advance(60_000);
    t.equal(sockets.all.length >= 1, true);
  });

  t.test('an identity that may not connect is told once', async (t) => {
    const { runtime, api, connection } = setUp();
    api.answers.push(problem(403, 'origin_refused'));
    void connection.connect();
    await runtime.advance(60_000);
    t.match(connection.state, { name: 'closed', reason: 'refused' });
    t.equal(api.requests.length, 1);
  });

  t.test('an unreachable API and a token that cannot be had are tried again', async (t) => {
    let isOffline = true;
    const { runtime, api, sockets, connection } = setUp({
      getToken: () => (isOffline ? Promise.reject(new Error('offline')) : 'token'),
    });
    api.answers.push(new Error('ECONNREFUSED'), { status: 502, body: '<html>bad gateway</html>' });
    void connection.connect();
    await runtime.advance(5000);
    t.equal(connection.state.name, 'reconnecting');
    isOffline = false;
    await runtime.advance(60_000);
    t.ok(sockets.all.length > 0);
  });
});

test('a server that never says ready is given up after the connect timeout', async (t) => {
  const { runtime, sockets, connection } = setUp();
  void connection.connect();
  await runtime.advance(9999);
  t.equal(connection.state.name, 'connecting');

  await runtime.advance(1);

  t.equal(connection.state.name, 'reconnecting');
  t.notOk(sockets.last.isOpen);
});

test('the token is refreshed a minute before it ends, by the server’s clock', async (t) => {
  const { runtime, sockets, connection, goLive } = setUp();
  // The phone's clock is ten years off; only the difference of the server's two times counts.
  const serverTimeMs = runtime.now() + 10 * 365 * 86_400_000;
  await goLive({ serverTimeMs, expiresAtMs: serverTimeMs + 600_000 });
  const heartbeat = keepAwake(sockets, runtime);

  await heartbeat(539_000);
  t.equal(sockets.last.sentOf('refresh').length, 0);
  await heartbeat(2000);
  t.match(sockets.last.sentOf('refresh'), [{ type: 'refresh', token: 'token-2' }]);

  sockets.last.say({ type: 'refreshed', expiresAtMs: serverTimeMs + 1_200_000 });
  await heartbeat(590_000);
  t.equal(sockets.last.sentOf('refresh').length, 1);
  await heartbeat(12_000);
  t.equal(sockets.last.sentOf('refresh').length, 2, 'and again before the new one ends');
  t.equal(connection.state.name, 'live');
});

test('a refresh that the server refuses is tried again with another token', async (t) => {
  const asked: (string | undefined)[] = [];
  const { runtime, sockets, goLive } = setUp({
    getToken({ refused }) {
      asked.push(refused);
      return `token-${asked.length}`;
    },
  });
  await goLive({ expiresAtMs: runtime.now() + 100_000 });
  const heartbeat = keepAwake(sockets, runtime);
  await heartbeat(51_000);
  const id = sockets.last.sentOf('refresh')[0]?.id ?? -1;
  sockets.last.say({ type: 'error', id, code: 'token_revoked', message: 'The token was revoked', retryable: false });
  await heartbeat(10_000);
  t.same(asked, [undefined, undefined, 'token-2']);
  t.equal(sockets.last.sentOf('refresh').length, 2);
});

test('a refresh that fails is reported and tried again; short tokens are refreshed half way', async (t) => {
  let calls = 0;
  const { runtime, sockets, connection, goLive } = setUp({
    getToken: () => (++calls === 2 ? Promise.reject(new Error('offline')) : `token-${calls}`),
  });
  const errors: Error[] = [];
  connection.on('error', (error) => errors.push(error));
  await goLive({ expiresAtMs: runtime.now() + 100_000 });
  const heartbeat = keepAwake(sockets, runtime);

  await heartbeat(51_000);
  t.match(errors, [{ code: 'token_unavailable' }]);
  await heartbeat(10_000);

  t.match(sockets.last.sentOf('refresh'), [{ token: 'token-3' }]);
  t.equal(refreshDelayMs(3_600_000), 3_540_000);
  t.equal(refreshDelayMs(1), 5000, 'never in a loop');
});

test('a silent server is pinged, and left when it stays silent', async (t) => {
  const { runtime, sockets, connection, goLive } = setUp();
  await goLive();

  await runtime.advance(10_000);
  t.equal(sockets.last.sentOf('ping').length, 1);
  sockets.last.say({ type: 'pong', serverTimeMs: runtime.now() + 5000 });
  t.equal(connection.serverTimeMs() - runtime.now(), 5000, 'a pong sets our idea of the server’s clock');
  await runtime.advance(19_999);
  t.equal(connection.state.name, 'live');
  await runtime.advance(1);

  t.match(connection.state, { name: 'reconnecting', cause: 'the server fell silent' });
});

test('topics are asked for again on every socket, within the frame rate', async (t) => {
  const { runtime, sockets, connection, goLive } = setUp();
  for (let i = 0; i < 32; i += 1) connection.subscribe(`trip:${i}`);
  t.throws(() => connection.subscribe('trip:one-too-many'), RangeError);
  await goLive();
  t.equal(sockets.last.sentOf('sub').length, 16, 'four fewer than allowed in the first second');
  await runtime.advance(999);
  t.equal(sockets.last.sentOf('sub').length, 16);
  await runtime.advance(1);
  t.equal(sockets.last.sentOf('sub').length, 32);

  connection.unsubscribe('trip:0');
  await runtime.advance(1000);
  t.match(sockets.last.sentOf('unsub'), [{ topic: 'trip:0' }]);
  sockets.last.close(1006);
  await runtime.advance(125);
  sockets.last.ready();
  await runtime.advance(2000);

  const asked = sockets.last.sentOf('sub').map(({ topic }) => topic);
  t.equal(asked.length, 31);
  t.notOk(asked.includes('trip:0'));
});

test('a subscription that is refused for now is asked for again, one refused for good is not', async (t) => {
  const { runtime, sockets, connection, goLive } = setUp();
  connection.subscribe('trip:busy');
  connection.subscribe('trip:alien');
  connection.subscribe('trip:unanswered');
  await goLive();
  const error = { type: 'error', message: '', retryable: true } as const;

  sockets.last.say({ ...error, topic: 'trip:busy', code: 'access_unavailable' });
  sockets.last.say({ ...error, topic: 'trip:alien', code: 'not_found', retryable: false });
  await runtime.settle();
  t.equal(sockets.last.sentOf('sub').length, 3, 'not at once');
  await keepAwake(sockets, runtime)(20_000);

  const asked = sockets.last.sentOf('sub').map(({ topic }) => topic);
  t.equal(asked.filter((topic) => topic === 'trip:alien').length, 1);
  t.ok(asked.filter((topic) => topic === 'trip:busy').length > 1);
  t.ok(asked.filter((topic) => topic === 'trip:unanswered').length > 1);
});

test('frames that cannot be read, unknown frames and failing listeners do no harm', async (t) => {
  const { runtime, sockets, connection, goLive } = setUp();
  const errors: Error[] = [];
  connection.on('error', (error) => errors.push(error));
  await goLive();

  sockets.last.sayText('{nonsense');
  sockets.last.sayText('null');
  sockets.last.sayText('{"type":"of the future"}');
  await runtime.settle();

  t.match(errors, [{ code: 'frame_unreadable' }, { code: 'frame_unreadable' }]);
  t.equal(connection.state.name, 'live');
});

test('close ends everything, and connect begins anew; connect while waiting tries at once', async (t) => {
  const { runtime, sockets, connection, goLive, states } = setUp();
  await goLive();
  connection.close();
  t.match(connection.state, { name: 'closed', reason: 'closed_by_app' });
  t.notOk(sockets.last.isOpen);
  t.equal(runtime.pendingTimers, 0);

  await goLive();
  sockets.last.close(1006);
  void connection.connect();
  await runtime.settle();
  t.equal(sockets.all.length, 3, 'without waiting');
  connection.close();
  await runtime.advance(3_600_000);

  t.equal(sockets.all.length, 3);
  t.same(states, ['connecting', 'live', 'closed', 'connecting', 'live', 'reconnecting', 'connecting', 'closed']);
});

test('the frame rate survives a clock that is set back', async (t) => {
  let nowMs = 1_000_000;
  const rate = createFrameRate({ now: () => nowMs, perSecond: 2 });
  rate.note();
  rate.note();
  t.equal(rate.waitMs(), 1000);
  nowMs -= 500_000;
  t.equal(rate.waitMs(), 1000, 'never longer than the window');
  nowMs += 501_000;
  t.equal(rate.waitMs(), 0);
});

/** Time with a server that answers pings, so that silence does not end the session. */
function keepAwake(sockets: ReturnType<typeof createFakeSockets>, runtime: ReturnType<typeof createManualRuntime>) {
  return async (ms: number) => {
    for (let passedMs = 0; passedMs < ms; passedMs += 1000) {
      sockets.last.sayText('{"type":"tick"}');
      await runtime.advance(Math.min(1000, ms - passedMs));
    }
  };
}
