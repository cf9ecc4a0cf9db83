import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import t, { type Test } from 'tap';
import { closeClient } from '../mongo/close-client.ts';
import { deadline } from '../mongo/deadline.ts';
import { ownRedis } from '../testing/engines.ts';
import { type ServiceProcess, startService } from '../testing/service-process.ts';
import { waitFor } from '../testing/wait-for.ts';
import { tryClaim } from './claim-file.ts';
import { dataRoot, makeFolder } from './data-root.ts';
import { type Engine, EngineError } from './engine.ts';
import { findMongo } from './find-mongo.ts';
import { findRedis } from './find-redis.ts';
import { isAlive, processIdentity } from './process-identity.ts';

const here = dirname(fileURLToPath(import.meta.url));

t.test(
  'a started Redis is ours alone: loopback, append-only, never evicting, and its folder goes with it',
  async (t) => {
    const steps: string[] = [];
    const engine = await findRedis({ onProgress: (step) => steps.push(step.what) });
    const redis = client(t, engine);
    const folder = /data in (\S+)/.exec(engine.description)?.[1] ?? '';

    t.equal(engine.source, 'path');
    t.match(engine.description, /^(Redis|Valkey) \d+\.\d+/);
    t.same(steps, ['starting redis-server']);
    t.same(await redis.config('GET', 'bind'), ['bind', '127.0.0.1']);
    t.same(await redis.config('GET', 'appendonly'), ['appendonly', 'yes']);
    t.same(await redis.config('GET', 'maxmemory-policy'), ['maxmemory-policy', 'noeviction']);
    t.ok(existsSync(folder));

    redis.disconnect();
    await Promise.all([engine.stop(), engine.stop()]);

    t.notOk(existsSync(folder), 'temporary data is removed');
    t.equal(processIdentity(engine.pid ?? -1), undefined, 'the process is gone');
  },
);

t.test('what was synced on commit is there after kill -9 and a restart', async (t) => {
  const engine = await ownRedis(t);
  const redis = client(t, engine);
  t.same(await redis.config('GET', 'appendfsync'), ['appendfsync', 'always']);
  for (let i = 0; i < 50; i += 1) await redis.set(`key:${i}`, i);
  redis.disconnect();
  const before = engine.pid;

  await engine.faults.kill9();
  await engine.faults.restart();

  t.not(engine.pid, before);
  t.equal(await client(t, engine).dbsize(), 50);
});

t.test('a persistent engine keeps its data for the next start, at the asked port', async (t) => {
  const options = { dataDir: folderFor(t), persistent: true, port: await unusedPort() };
  const first = await findRedis(options);
  await client(t, first).set('kept', 'yes');
  await first.stop();

  const second = await findRedis(options);
  t.teardown(() => second.stop());

  t.equal(second.url, `redis://127.0.0.1:${options.port}`);
  t.equal(await client(t, second).get('kept'), 'yes');
});

for (const kind of ['redis', 'mongo'] as const) {
  t.test(`a killed parent leaves no ${kind} running, and the next start picks up its data`, async (t) => {
    const dataDir = folderFor(t);
    const parent = await hold(t, kind, { dataDir, persistent: true });
    await write(t, kind, parent.url);

    await parent.process.kill9();

    await waitFor(() => !isAlive(parent.identity), { withinMs: 15_000, what: 'the end of the orphaned engine' });
    const next = await (kind === 'redis' ? findRedis : findMongo)({ dataDir, persistent: true });
    t.teardown(() => next.stop());
    t.ok(await read(t, kind, next.url), 'what was acknowledged is there');
  });
}

t.test('a killed parent takes a hung engine with it', async (t) => {
  const parent = await hold(t, 'redis', { dataDir: folderFor(t) });
  process.kill(parent.enginePid, 'SIGSTOP');

  await parent.process.kill9();

  t.ok(await waitFor(() => !isAlive(parent.identity), { withinMs: 15_000, what: 'the end of the hung engine' }));
});

t.test('an engine that a killed run left behind is stopped, and the start says so', async (t) => {
  const dataDir = folderFor(t);
  const leftOver = await hold(t, 'redis', { dataDir, persistent: true });
  await write(t, 'redis', leftOver.url);
  const record = readFileSync(join(dataDir, 'engine.json'), 'utf8');
  // The record of a run that is gone, beside an engine that somehow outlived it.
  writeFileSync(join(dataDir, 'engine.json'), record.replace(/"owner":"[^"]*"/, '"owner":"1@0"'));
  const steps: string[] = [];

  const engine = await findRedis({ dataDir, persistent: true, onProgress: ({ what }) => steps.push(what) });
  t.teardown(() => engine.stop());

  t.match(steps[0], `stopping the engine that a killed run left behind (pid ${leftOver.enginePid})`);
  t.notOk(isAlive(leftOver.identity));
  t.ok(await read(t, 'redis', engine.url));
});

t.test('a record that names another process with the same pid stops nobody', async (t) => {
  const dataDir = folderFor(t);
  writeFileSync(join(dataDir, 'engine.json'), JSON.stringify({ owner: '1@0', engine: `${process.pid}@1` }));

  const engine = await findRedis({ dataDir });
  t.teardown(() => engine.stop());

  t.ok(engine.pid);
});

t.test('a folder in use is a sentence that names who uses it, and the user is left in peace', async (t) => {
  const dataDir = folderFor(t);
  const first = await hold(t, 'redis', { dataDir, persistent: true });

  await t.rejects(findRedis({ dataDir }), sentence(`${dataDir} is in use by process ${first.process.pid}`));

  t.ok(isAlive(first.identity));
});

t.test('a taken port, an unwritable folder and an engine that will not start are one sentence each', async (t) => {
  const { taken, port } = await listenSomewhere();
  t.teardown(() => taken.close());
  const file = join(folderFor(t), 'file');
  writeFileSync(file, '');
  const broken = folderFor(t);
  await makeFolder(join(broken, 'data', 'appendonlydir'));
  writeFileSync(join(broken, 'data', 'appendonlydir', 'appendonly.aof.manifest'), 'no manifest');

  await t.rejects(findRedis({ port }), sentence(`Port ${port} on 127.0.0.1 is taken`));
  await t.rejects(findRedis({ dataDir: join(file, 'below') }), sentence('cannot be written (ENOTDIR)'));
  await t.rejects(findRedis({ dataDir: broken }), sentence('redis-server ended while it started'));
  t.notOk(existsSync(join(broken, 'engine.json')), 'a failed start gives its folder back');
});

t.test('what a URL names is used as it is and never stopped', async (t) => {
  const own = await ownRedis(t);

  const engine = await findRedis({ url: own.url });
  await engine.stop();

  t.equal(engine.source, 'url');
  t.equal(engine.version, own.version);
  t.equal(engine.faults, undefined);
  t.equal(await client(t, own).ping(), 'PONG');
});

t.test('a URL where nobody answers is one sentence without the password', async (t) => {
  const port = await unusedPort();

  for (const [find, url] of [
    [findRedis, `redis://user:secret@127.0.0.1:${port}`],
    [findMongo, `mongodb://user:secret@127.0.0.1:${port}/`],
  ] as const) {
    const error: unknown = await find({ url }).catch((error: unknown) => error);
    t.type(error, EngineError);
    t.match(String(error), `***@127.0.0.1:${port}`);
    t.notMatch(String(error), 'secret');
  }
});

t.test('an engine that ends although nobody ended it is reported once', async (t) => {
  const sentences: string[] = [];
  const engine = await findRedis({ onUnexpectedEnd: (sentence) => sentences.push(sentence) });
  t.teardown(() => engine.stop());

  process.kill(engine.pid ?? -1, 'SIGKILL');
  await waitFor(() => sentences.length > 0, { withinMs: 10_000, what: 'the report' });
  await engine.stop();

  t.match(sentences, [/^redis-server ended by itself \(SIGKILL\)/]);
});

t.test('of many processes that claim one path at once, one gets it', async (t) => {
  const path = join(folderFor(t), 'lock');
  const claims = await Promise.all(Array.from({ length: 20 }, async () => tryClaim(path)));

  t.equal(claims.filter((claim) => claim.isMine).length, 1);
  t.ok(claims.every((claim) => claim.isMine || claim.isOwnerAlive));
});

t.test('the embedded database is pinned by version and by the hash of every file', async (t) => {
  const lines = readFileSync(join(here, 'secantus-requirements.txt'), 'utf8').split('\n');
  const packages = lines.filter((line) => /^[a-z]/.test(line));

  t.ok(packages.length > 5);
  t.ok(
    packages.every((line) => /^[a-z0-9-]+==\S+.* \\$/.test(line)),
    'each has a version and hashes',
  );
});

t.test('without Redis and Python on PATH, and without root, the sentence names the choices', async (t) => {
  const folder = folderFor(t);
  const script = `
    import { chownSync } from 'node:fs';
    import { findRedis } from '@hushryd/platform/engines/find-redis';
    import { installSecantus } from '@hushryd/platform/engines/install-secantus';
    const nobody = 65534;
    if (process.getuid() === 0) {
      chownSync('${folder}', nobody, nobody);
      process.setuid(nobody);
    }
    process.env.PATH = '/nowhere';
    for (const attempt of [findRedis, () => installSecantus('${folder}'), () => installSecantus('/etc/none')])
      await attempt().catch((error) => console.log(error.name + ': ' + error.message));`;
  const args = ['--import=tsx', '--conditions=@hushryd/source', '--input-type=module', '-e', script];
  const { stdout } = spawnSync(process.execPath, args, { cwd: here, encoding: 'utf8' });
  const said = stdout.split('\n');
  const [redis, python, unwritable] = ['No Redis', 'Python', 'The folder'].map((start) =>
    said.find((line) => line.includes(`: ${start}`)),
  );

  t.match(redis, /^EngineError: No Redis ≥ 7.0 was found: set REDIS_URL .* apt-get install redis-server/);
  t.equal(python, 'EngineError: Python ≥ 3.11 with venv is not on PATH and installing it needs root');
  t.match(unwritable, /^EngineError: The folder .etc.none cannot be written/);
});

async function hold(t: Test, kind: 'redis' | 'mongo', options: object) {
  const main = join(here, '../../test/fixtures/hold-engine.ts');
  const process: ServiceProcess = await startService(t, {
    name: 'the parent',
    main,
    args: [kind, JSON.stringify(options)],
    env: {},
    ready: 'holding',
  });
  const line = await process.waitForLog('holding');
  const enginePid = Number(line.enginePid);
  return { process, enginePid, identity: processIdentity(enginePid) ?? '', url: String(line.url) };
}

function client(t: Test, engine: Engine | string): Redis {
  const redis = new Redis(typeof engine === 'string' ? engine : engine.url, { retryStrategy: () => null });
  redis.on('error', () => undefined);
  t.teardown(() => redis.disconnect());
  return redis;
}

async function write(t: Test, kind: 'redis' | 'mongo', url: string): Promise<void> {
  if (kind === 'redis') await client(t, url).set('kept', 'yes');
  else
    await collection(t, url).insertOne(
      { _id: 'kept' },
      { writeConcern: { w: 'majority', j: true }, ...deadline(5000) },
    );
}

async function read(t: Test, kind: 'redis' | 'mongo', url: string): Promise<unknown> {
  if (kind === 'redis') return client(t, url).get('kept');
  return collection(t, url).findOne({ _id: 'kept' }, deadline(5000));
}

function collection(t: Test, url: string) {
  const mongo = new MongoClient(url, { serverSelectionTimeoutMS: 5000 });
  t.teardown(() => closeClient(mongo, 1000));
  return mongo.db('engines').collection<{ _id: string }>('kept');
}

function folderFor(t: Test): string {
  const folder = mkdtempSync(join(dataRoot(), 'tmp', 'test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function listenSomewhere() {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  return { taken, port: (taken.address() as AddressInfo).port };
}

async function unusedPort(): Promise<number> {
  const { taken, port } = await listenSomewhere();
  taken.close();
  await once(taken, 'close');
  return port;
}

function sentence(part: string): { name: string; message: RegExp } {
  return { name: 'EngineError', message: new RegExp(part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) };
}
