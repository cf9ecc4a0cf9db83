import type { AddressInfo } from 'node:net';
import { within } from '@hushryd/platform/testing/wait-for';
import Fastify from 'fastify';
import t from 'tap';
import type { ApiServer } from './api-server.ts';
import { closeListener } from './close-listener.ts';

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
  await app.listen({ port: 0, host: '127.0.0.1' });
  const reply = fetch(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}/`).then((response) =>
    response.text(),
  );
  await arrived.promise;
  return { app, reply, answer: answer.resolve };
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

t.test('a request in flight is answered, and its connection is not waited for', async (t) => {
  const { app, reply, answer } = await createBusyListener();

  const closed = closeListener(app, 60_000);
  setImmediate(() => setImmediate(answer));

  t.equal(await reply, 'answered');
  await within(closed, { withinMs: 10_000, what: 'the end of the listener' });
});

t.test('a request that does not end is cut off after its time', async (t) => {
  const { app, reply } = await createBusyListener();

  const cut = t.rejects(reply);
  await within(closeListener(app, 100), { withinMs: 10_000, what: 'the end of the listener' });
  await cut;
});
