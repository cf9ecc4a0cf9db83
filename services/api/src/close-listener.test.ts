import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { within } from '@hushryd/platform/testing/wait-for';
import Fastify from 'fastify';
import t from 'tap';
import type { ApiServer } from './api-server.ts';
import { prepareClose } from './close-listener.ts';

/** A listener with one request in flight over a connection that its client keeps. */
async function createBusyListener() {
  const app: ApiServer = Fastify();
  const arrived = withResolvers();
  const answer = withResolvers();
  app.get('/', async () => {
    arrived.resolve();
    await answer.promise;
    return 'answered';
  });
  const close = prepareClose(app);
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const reply = fetch(`http://127.0.0.1:${port}/`).then((response) => response.text());
  await arrived.promise;
  return { port, close, reply, answer: answer.resolve };
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

t.test('a request in flight is answered, and its connection is not waited for', async (t) => {
  const { close, reply, answer } = await createBusyListener();

  const closed = close(60_000);
  setImmediate(() => setImmediate(answer));

  t.equal(await reply, 'answered');
  await within(closed, { withinMs: 10_000, what: 'the end of the listener' });
});

t.test('a request that does not end is cut off after its time', async (t) => {
  const { close, reply } = await createBusyListener();

  const cut = t.rejects(reply);
  await within(close(100), { withinMs: 10_000, what: 'the end of the listener' });
  await cut;
});

t.test('a connection that never said anything is not waited for', async (t) => {
  const { port, close, reply, answer } = await createBusyListener();
  const silent = connect({ port, host: '127.0.0.1' });
  t.teardown(() => silent.destroy());
  await once(silent, 'connect');
  const ended = once(silent, 'close');

  const closed = close(60_000);
  answer();

  t.equal(await reply, 'answered');
  await within(Promise.all([closed, ended]), { withinMs: 10_000, what: 'the end of the listener' });
});
