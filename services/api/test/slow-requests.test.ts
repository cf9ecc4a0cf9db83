import { once } from 'node:events';
import { connect } from 'node:net';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { within } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { createCollections, environmentOf, startTestApi } from './test-api.ts';

const skip = process.env.HUSHRYD_FULL === '1' ? false : 'takes as long as a deadline: HUSHRYD_FULL=1';

t.test('a request whose headers drip is cut within 5 s', { skip }, async (t) => {
  const mongo = await testMongo(t);
  await createCollections(mongo.db);
  const api = await startTestApi(t, environmentOf({ redis: await testRedis(t), mongo }));
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const startedAtMs = performance.now();
  socket.write('GET /v1/trips HTTP/1.1\r\nhost: x\r\nx-slow: ');
  const drip = setInterval(() => socket.write('x'), 300);
  t.teardown(() => clearInterval(drip));

  const [answer] = await within(once(socket, 'data'), { withinMs: 20_000, what: 'the end of a slow request' });
  const tookMs = performance.now() - startedAtMs;
  t.match(String(answer), /^HTTP\/1\.1 408 /);
  t.ok(tookMs > 3_500, 'not before its time');
  // A busy machine gets half a second more.
  t.ok(tookMs < 5_500, `${Math.round(tookMs)} ms`);
});
