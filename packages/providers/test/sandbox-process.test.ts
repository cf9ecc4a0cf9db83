import { statSync } from 'node:fs';
import { join } from 'node:path';
import { startService } from '@hushryd/platform/testing/service-process';
import t from 'tap';
import { openProviders } from './conformance/provider-cases.ts';

const main = join(import.meta.dirname, '../src/sandbox/main.ts');

async function start(env: Record<string, string>) {
  const service = await startService(t, {
    name: 'sandbox',
    main,
    env: { PORT: '0', ...env },
    ready: 'listening',
    // Compiling it on the way takes seconds on a machine with much else to do.
    readyWithinMs: 60_000,
  });
  const port = Number(service.logs.find(({ msg }) => msg === 'listening')?.port);
  const environment = async () =>
    (await (await fetch(`http://127.0.0.1:${port}/sandbox/environment`)).json()) as Record<string, string>;
  return { service, port, environment };
}

t.test('as a process it says where it listens, tells its environment and ends when asked', async (t) => {
  const { service, environment } = await start({});
  const providers = openProviders(await environment());
  t.teardown(() => providers.close());

  const outcome = await providers.sms[0]?.send({ to: '+919845012345', text: 'hello' }, { attemptId: 'a1' });

  t.match(outcome, { kind: 'accepted' });
  t.same(await service.terminate(), { code: 0, signal: null });
  t.notMatch(JSON.stringify(service.logs), '9845012345', 'and no number stands in its log');
});

t.test('credentials are kept in a file of its own where one is named, and new otherwise', async (t) => {
  const path = join(t.testdir({}), 'credentials.json');
  const first = await start({ SANDBOX_CREDENTIALS_FILE: path });
  const one = await first.environment();
  await first.service.kill9();
  const second = await start({ SANDBOX_CREDENTIALS_FILE: path, PORT: String(first.port) });
  const third = await start({});

  t.same(await second.environment(), one, 'services that know them go on');
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.not((await third.environment()).TWILIO_AUTH_TOKEN, one.TWILIO_AUTH_TOKEN);
});

t.test('a setting that is wrong stops it with a sentence', async (t) => {
  const service = await startService(t, { name: 'sandbox', main, env: { CALL_OBSERVER_URL: 'nowhere' } });

  t.match(await service.exited, { code: 1 });
  t.match(service.logs.map(({ msg }) => msg).join('\n'), /CALL_OBSERVER_URL is "nowhere", expected an address/);
});
