import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestScope } from '@hushryd/platform/testing/engines';
import { within } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { createVendorHttp } from './vendor-http.ts';

const withinMs = 20_000;

async function serve(t: TestScope, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const http = createVendorHttp();
t.teardown(() => http.close());
const post = (url: string, context: Parameters<typeof http.post>[1] = {}) =>
  within(http.post({ url, headers: {}, body: 'x' }, context), { withinMs, what: 'an end' });

t.test('an answer is given as it is, and no redirect is followed', async (t) => {
  let calls = 0;
  const url = await serve(t, (_, response) => {
    calls += 1;
    response.writeHead(307, { location: '/elsewhere' }).end('moved');
  });

  t.match(await post(url), { kind: 'answered', status: 307, body: 'moved' });
  t.equal(calls, 1);
});

t.test('an answer beyond 64 KiB is not read', async (t) => {
  const url = await serve(t, (_, response) => response.end('x'.repeat(70_000)));

  t.match(await post(url), { kind: 'failed', reason: 'answer-malformed', isUnknown: true });
});

t.test('the deadline covers the body too', async (t) => {
  const url = await serve(t, (_, response) => response.writeHead(200).write('half'));

  t.match(await post(url, { deadlineMs: 300 }), { kind: 'failed', reason: 'timeout', isUnknown: true });
});

t.test('a signal that was ended before ends the call at once', async (t) => {
  const url = await serve(t, () => undefined);

  t.match(await post(url, { signal: AbortSignal.abort() }), { kind: 'failed', reason: 'aborted', isUnknown: true });
});

t.test('a signal that lives on keeps nothing of calls that are over', async (t) => {
  const url = await serve(t, (_, response) => response.end());
  const living = new AbortController();
  let listeners = 0;
  const add = living.signal.addEventListener.bind(living.signal);
  const remove = living.signal.removeEventListener.bind(living.signal);
  living.signal.addEventListener = ((...args: Parameters<typeof add>) => {
    listeners += 1;
    add(...args);
  }) as typeof add;
  living.signal.removeEventListener = ((...args: Parameters<typeof remove>) => {
    listeners -= 1;
    remove(...args);
  }) as typeof remove;

  for (let call = 0; call < 20; call += 1) await post(url, { signal: living.signal });

  t.equal(listeners, 0);
});
