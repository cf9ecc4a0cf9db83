import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import tap from 'tap';
import { createSession } from './session.ts';
import { SignInError } from './token-endpoint.ts';

type Proof = { code?: string; refreshToken?: string };

/** A token endpoint that takes the code `good` once and each refresh token once, and counts what it is asked. */
async function startIssuer(t: { teardown(close: () => void): void }, options: { lifetimeMs?: number } = {}) {
  const asked: Proof[] = [];
  const valid = new Set(['good']);
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const proof: Proof = JSON.parse(body);
    asked.push(proof);
    if (!valid.delete(proof.code ?? proof.refreshToken ?? '')) {
      response.writeHead(401, { 'x-request-id': 'request-1' }).end('{}');
      return;
    }
    const refreshToken = `refresh-${asked.length}`;
    valid.add(refreshToken);
    const expiresAt = new Date(Date.now() + (options.lifetimeMs ?? 600_000)).toISOString();
    response.end(
      JSON.stringify({
        token: `token-${asked.length}`,
        expiresAt,
        refreshToken,
        user: { userId: 'u1', role: 'operator', name: 'Asha' },
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return { asked, server, tokenUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

function createStorage(): Storage {
  const values = new Map<string, string>();
  return {
    get length() {
      return values.size;
    },
    clear: () => values.clear(),
    getItem: (key) => values.get(key) ?? null,
    key: (index) => [...values.keys()][index] ?? null,
    removeItem: (key) => void values.delete(key),
    setItem: (key, value) => void values.set(key, value),
  };
}

tap.test('a one-time code signs in, and a reload stays signed in without it', async (t) => {
  const { tokenUrl } = await startIssuer(t);
  const storage = createStorage();
  const session = createSession({ tokenUrl, storage });

  await session.start('good');
  t.match(session.state(), { status: 'signed-in', user: { name: 'Asha' } });
  t.equal(await session.getToken(), 'token-1');

  const reloaded = createSession({ tokenUrl, storage });
  await reloaded.start(undefined);
  t.match(reloaded.state(), { status: 'signed-in' });
});

tap.test('many callers at once cost one refresh', async (t) => {
  const { tokenUrl, asked } = await startIssuer(t, { lifetimeMs: 30_000 });
  const session = createSession({ tokenUrl, storage: createStorage() });
  await session.start('good');

  const tokens = await Promise.all([session.getToken(), session.getToken(), session.getToken()]);

  t.same(tokens, ['token-2', 'token-2', 'token-2']);
  t.equal(asked.length, 2);
});

tap.test('a token that the server refused is not given again, however long it would live', async (t) => {
  const { tokenUrl, asked } = await startIssuer(t);
  const session = createSession({ tokenUrl, storage: createStorage() });
  await session.start('good');

  const refused = { refused: await session.getToken() };
  const tokens = await Promise.all([session.getToken(refused), session.getToken(refused)]);

  t.same(tokens, ['token-2', 'token-2']);
  t.equal(await session.getToken(refused), 'token-2', 'whoever hears of the refusal late gets what the others got');
  t.equal(asked.length, 2);
});

tap.test('why nobody is signed in is said', async (t) => {
  const { tokenUrl, server } = await startIssuer(t);
  const start = async (code: string | undefined, storage = createStorage()) => {
    const session = createSession({ tokenUrl, storage });
    await session.start(code);
    return session.state();
  };
  const stale = createStorage();
  stale.setItem('hushryd.refresh-token', 'used-before');

  t.match(await start(undefined), { status: 'signed-out', why: 'no-code' });
  t.match(await start('used'), { status: 'signed-out', why: 'code-refused', correlationId: 'request-1' });
  t.match(await start(undefined, stale), { status: 'signed-out', why: 'session-ended' });
  t.equal(stale.length, 0, 'a refused refresh token is forgotten');

  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  const kept = createStorage();
  kept.setItem('hushryd.refresh-token', 'still-good');
  t.match(await start(undefined, kept), { status: 'signed-out', why: 'unreachable' });
  t.equal(kept.length, 1, 'an unreachable service does not cost the session');
});

tap.test('signing out forgets everything and tells listeners', async (t) => {
  const { tokenUrl } = await startIssuer(t);
  const storage = createStorage();
  const session = createSession({ tokenUrl, storage });
  await session.start('good');
  const heard: string[] = [];
  session.subscribe(() => heard.push(session.state().status));

  session.end('left');

  t.same(heard, ['signed-out']);
  t.equal(storage.length, 0);
  await t.rejects(session.getToken(), new SignInError('refused'));
});
