import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createRiderClient } from '@hushryd/sdk/rider-client';
import { Redis } from 'ioredis';
import t from 'tap';
import { startSystemOnOwnEngines } from './system.ts';

// A Redis that answers every read and refuses every write: nobody can tell the nodes through it who was signed out.

t.test('a sign-out is felt within 10 s while Redis is full', async (t) => {
  const { system, redis } = await startSystemOnOwnEngines(t);
  const admin = new Redis(redis.url);
  t.teardown(() => admin.disconnect());
  const token = system.token('rita', 'rider');
  const client = createRiderClient({ ...system.connectionOptions('rita', 'rider'), getToken: async () => token });
  t.teardown(() => client.close());
  await client.connect();
  await waitFor(async () => (await admin.keys('*:access-log:beat')).length > 0, { withinMs: 10_000, what: 'a beat' });

  await admin.config('SET', 'maxmemory', 1);
  const reply = await fetch(`${system.apis[0]?.url}/v1/session/sign-out`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: '{}',
  });
  t.equal(reply.status, 204);
  const end = await waitFor(() => (client.state.name === 'closed' ? client.state : undefined), {
    withinMs: 10_000,
    what: 'the end of the session',
  });
  t.equal(end.code, closeCodes.sessionEnded);
});
