import { createHttpClient } from '@hushryd/sdk/http/http-client';
import tap from 'tap';
import { describeOutcome, endConnection } from './end-connection.ts';

tap.test('a connection is called ended only where the api knows that it is gone', async (t) => {
  const saysOf = async (status: number, body: unknown) => {
    const text = JSON.stringify(body);
    const response = { status, headers: { get: () => null }, text: async () => text };
    const http = createHttpClient({ apiUrl: 'http://api.example', getToken: () => 't', fetch: async () => response });
    return describeOutcome(await endConnection(http, { userId: 'u', connectionId: 'node-1.7' }));
  };
  t.equal(await saysOf(204, null), 'The connection was ended.');
  t.match(await saysOf(202, null), /^Its node was told .* most likely/);
  t.equal(await saysOf(404, { code: 'not_found', title: 'No such thing' }), 'The connection was gone already.');
  await t.rejects(saysOf(503, { code: 'redis_unavailable', title: 'Not now' }), { code: 'redis_unavailable' });
});
