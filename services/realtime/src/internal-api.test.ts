import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { createInternalApi } from './internal-api.ts';

t.test('the api is there as long as one of its addresses answers', async (t) => {
  const server = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const alive = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const gone = 'http://127.0.0.1:1';
  const apiAt = (urls: string[]) => createInternalApi({ urls, serviceToken: 'x'.repeat(32), timeoutMs: 2_000 });
  const [some, none] = [apiAt([gone, alive]), apiAt([gone])];
  t.teardown(async () => {
    await Promise.all([some.close(), none.close()]);
    server.close();
    server.closeAllConnections();
  });

  t.ok((await some.ping(2_000)) >= 0);
  await t.rejects(none.ping(2_000));
});
