import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { createLogger } from '../logging/create-logger.ts';
import { testRedis } from '../testing/engines.ts';
import { listKeys } from '../testing/redis-variables.ts';
import { parseRedisAddresses } from './addresses.ts';
import { connectRedis } from './connect.ts';
import { createKeys } from './keys.ts';
import { assertLayout } from './layout.ts';
import { partitionOf } from './partition.ts';
import { primariesOf } from './primaries.ts';
import { defineScript, loadScript } from './scripts.ts';

const log = createLogger({ service: 'test', instanceId: 'test-1', level: 'silent' });

const settings = (await testRedis(t)).settings({ partitions: 4 });
const connections = await connectRedis({ settings, role: 'live', log });
const redis = connections.commands;
t.teardown(() => connections.close());

t.test('a script takes and returns bytes as they are', async (t) => {
  const echo = defineScript(redis, { name: 'echo', lua: 'return { KEYS[1], ARGV[1], ARGV[2] }', numberOfKeys: 1 });
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, value) => value));

  const reply = await echo.buffer([`${settings.prefix}{a}`], [bytes, 42]);
  const decoded = await echo([`${settings.prefix}{a}`], ['Zürich', Buffer.alloc(0)]);

  t.same(reply, [Buffer.from(`${settings.prefix}{a}`), bytes, Buffer.from('42')]);
  t.same(decoded, [`${settings.prefix}{a}`, 'Zürich', '']);
});

t.test('a script call with the wrong number of keys is refused before it is sent', async (t) => {
  const script = defineScript(redis, { name: 'two', lua: 'return 1', numberOfKeys: 2 });

  await t.rejects(script(['one'], []), /two takes 2 keys, got 1/);
  await t.rejects(script.buffer(['one'], []), /two takes 2 keys, got 1/);
});

t.test('calls keep their order and lose none when the server forgets the script', async (t) => {
  const list = `${settings.prefix}{a}:list`;
  const append = defineScript(redis, {
    name: 'append',
    lua: `redis.call('RPUSH', KEYS[1], ARGV[1]) return 1 --${randomUUID()}`,
    numberOfKeys: 1,
  });

  for (let round = 0; round < 5; round += 1) {
    const calls = Array.from({ length: 200 }, (_, index) => append([list], [round * 200 + index]));
    const flushed = Promise.all(primariesOf(redis).map((primary) => primary.script('FLUSH')));
    await Promise.all([...calls, flushed]);
  }

  const stored = await redis.lrange(list, 0, -1);
  t.same(
    stored.map(Number),
    Array.from({ length: 1000 }, (_, index) => index),
  );
});

t.test("a script's own error reaches the caller and is not retried", async (t) => {
  const key = `${settings.prefix}{a}:count`;
  const broken = defineScript(redis, {
    name: 'broken',
    lua: `redis.call('INCR', KEYS[1]) return redis.error_reply('BROKEN on purpose')`,
    numberOfKeys: 1,
  });

  await t.rejects(broken([key], []), /BROKEN on purpose/);
  t.equal(await redis.get(key), '1');
});

t.test('a script is read from the sources, from the compiled module too', async (t) => {
  const source = new URL('./redis.test.ts', import.meta.url).href;
  t.throws(() => loadScript(source, './no-such.lua'), /platform\/src\/redis\/no-such\.lua/);
  t.throws(() => loadScript(source.replace('/src/', '/dist/'), './no-such.lua'), /platform\/src\/redis\/no-such\.lua/);
});

t.test('thousands of commands of one turn are answered in order', async (t) => {
  const key = `${settings.prefix}{a}:sum`;

  const replies = await Promise.all(Array.from({ length: 5000 }, () => redis.incr(key)));

  t.same(
    replies,
    Array.from({ length: 5000 }, (_, index) => index + 1),
  );
});

t.test('layout', async (t) => {
  const prefix = `${settings.prefix}layout:`;

  await t.test('the first process sets it, the same layout is welcome', async (t) => {
    await assertLayout({ redis, keys: createKeys({ prefix, partitions: 4 }) });
    await assertLayout({ redis, keys: createKeys({ prefix, partitions: 4 }) });
    t.equal(await redis.get(createKeys({ prefix, partitions: 4 }).layout(3)), '4:fnv1a32:1');
  });

  for (const partitions of [2, 8]) {
    await t.test(`${partitions} partitions over 4 are refused and change nothing`, async (t) => {
      const before = await listKeys(redis, prefix);

      await t.rejects(assertLayout({ redis, keys: createKeys({ prefix, partitions }) }), {
        name: 'ConfigError',
        message: /laid out as 4:fnv1a32:1.*wants .:fnv1a32:1: set REDIS_PARTITIONS/,
      });

      t.same(await listKeys(redis, prefix), before);
    });
  }

  await t.test('an emptied partition is claimed again', async (t) => {
    const keys = createKeys({ prefix, partitions: 4 });
    await redis.del(keys.layout(2));
    await assertLayout({ redis, keys });
    t.equal(await redis.get(keys.layout(2)), '4:fnv1a32:1');
  });
});

t.test('partitions', async (t) => {
  // Reference values of FNV-1a 32: https://datatracker.ietf.org/doc/html/draft-eastlake-fnv
  t.equal(partitionOf('', 2 ** 32), 0x811c9dc5);
  t.equal(partitionOf('a', 2 ** 32), 0xe40c292c);
  t.equal(partitionOf('foobar', 2 ** 32), 0xbf9cf968);

  const reference = (id: string, count: number): number => {
    let hash = 0x811c9dc5n;
    for (const byte of Buffer.from(id, 'utf8')) hash = ((hash ^ BigInt(byte)) * 0x01000193n) & 0xffffffffn;
    return Number(hash % BigInt(count));
  };
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 1, max: 99 }),
        (id, count) => partitionOf(id, count) === reference(id, count),
      ),
      { numRuns: 1_000 },
    ),
  );
});

t.test('addresses', async (t) => {
  t.same(parseRedisAddresses('redis://u%40:p%3A@h:7000/3'), [
    { host: 'h', port: 7000, username: 'u@', password: 'p:', db: 3 },
  ]);
  t.same(parseRedisAddresses('rediss://a,b:7001'), [
    { host: 'a', port: 6379, tls: {} },
    { host: 'b', port: 7001, tls: {} },
  ]);
  t.same(parseRedisAddresses('redis://[::1]:7000'), [{ host: '::1', port: 7000 }]);
  t.throws(() => parseRedisAddresses('redis://:secret@h:99999'), { name: 'ConfigError', message: /^(?!.*secret)/ });
  t.throws(() => parseRedisAddresses('redis://h/name'), { name: 'ConfigError' });
});

t.test('a server that is not there is one error with a code', async (t) => {
  const urls = { ...settings.urls, live: 'redis://127.0.0.1:1' };
  const away = { ...settings, urls, isCluster: false, sentinels: undefined };

  await t.rejects(connectRedis({ settings: away, role: 'live', log, connectTimeoutMs: 300 }), {
    code: 'redis_unavailable',
    retryable: true,
    cause: { code: 'ECONNREFUSED' },
  });
});

t.test('an answer that is there is read, however late this process looks', async (t) => {
  const busyForMs = 2 * settings.commandTimeoutMs;
  const answer = redis.set(`${settings.prefix}{a}:late`, 'here');
  // At the end of this turn it is sent; before the next one has read anything, the deadline is over.
  await new Promise((resolve) => setImmediate(resolve));

  for (const untilMs = performance.now() + busyForMs; performance.now() < untilMs; );

  t.equal(await answer, 'OK');
});
