import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import Type from 'typebox';
import { readEnvironment } from './read-environment.ts';
import {
  commonEnvironment,
  mongoEnvironment,
  redisEnvironment,
  tokenEnvironment,
  toMongoSettings,
  toRedisSettings,
  toTokenSettings,
} from './shared-environment.ts';

const Schema = Type.Object({
  PORT: Type.Integer({ minimum: 1, maximum: 65_535, default: 5_000 }),
  RATIO: Type.Number({ minimum: 0, maximum: 1, default: 0.5 }),
  ENABLED: Type.Boolean({ default: false }),
  ORIGINS: Type.Array(Type.String({ pattern: '^https?://' }), { default: [] }),
  SIZES: Type.Optional(Type.Array(Type.Integer())),
  MODE: Type.Union([Type.Literal('fast'), Type.Literal('safe')], { default: 'safe' }),
  NAME: Type.String({ minLength: 2 }),
  TOKEN: Type.Optional(Type.String({ minLength: 8, secret: true })),
});

t.test('text becomes what the schema says, and what is absent its default', async (t) => {
  const values = readEnvironment(Schema, {
    PORT: ' 8080 ',
    RATIO: '.25',
    ENABLED: '1',
    ORIGINS: 'https://a.example, http://b.example,',
    SIZES: '1,2',
    MODE: '',
    NAME: 'x y',
    UNRELATED: 'ignored',
  });

  t.same(values, {
    PORT: 8080,
    RATIO: 0.25,
    ENABLED: true,
    ORIGINS: ['https://a.example', 'http://b.example'],
    SIZES: [1, 2],
    MODE: 'safe',
    NAME: 'x y',
  });
});

t.test('a default is never shared', async (t) => {
  const first = readEnvironment(Schema, { NAME: 'ab' });
  first.ORIGINS.push('https://changed.example');

  t.same(readEnvironment(Schema, { NAME: 'ab' }).ORIGINS, []);
});

const bad: [variable: string, text: string, sentence: string][] = [
  ['PORT', '0', 'PORT is "0", expected an integer from 1 to 65535: correct it, or remove it to use 5000.'],
  ['PORT', '80.5', 'PORT is "80.5", expected an integer from 1 to 65535: correct it, or remove it to use 5000.'],
  ['PORT', '0x50', 'PORT is "0x50", expected an integer from 1 to 65535: correct it, or remove it to use 5000.'],
  [
    'PORT',
    'Infinity',
    'PORT is "Infinity", expected an integer from 1 to 65535: correct it, or remove it to use 5000.',
  ],
  ['PORT', '1e9', 'PORT is "1e9", expected an integer from 1 to 65535: correct it, or remove it to use 5000.'],
  ['RATIO', '2', 'RATIO is "2", expected a number from 0 to 1: correct it, or remove it to use 0.5.'],
  ['ENABLED', 'yes', 'ENABLED is "yes", expected true or false: correct it, or remove it to use false.'],
  ['MODE', 'quick', 'MODE is "quick", expected one of fast, safe: correct it, or remove it to use "safe".'],
  [
    'ORIGINS',
    'ftp://a',
    'ORIGINS is "ftp://a", expected a comma list, each entry text that matches ^https?://: correct it, or remove it to use [].',
  ],
  ['SIZES', '1,x', 'SIZES is "1,x", expected a comma list, each entry an integer: correct it.'],
  ['NAME', 'x', 'NAME is "x", expected text of at least 2 characters: correct it.'],
  ['NAME', ' ', 'NAME is missing: set it to text of at least 2 characters.'],
  ['TOKEN', 'hunter2', 'TOKEN is a value (not shown), expected text of at least 8 characters: correct it.'],
];
for (const [variable, text, sentence] of bad) {
  t.test(`${variable}=${JSON.stringify(text)} stops the start with one sentence`, async (t) => {
    t.throws(() => readEnvironment(Schema, { NAME: 'ab', [variable]: text }), {
      name: 'ConfigError',
      message: sentence,
    });
  });
}

t.test('all bad variables are named at once', async (t) => {
  t.throws(() => readEnvironment(Schema, { PORT: 'x', ENABLED: 'x' }), {
    message: /^PORT is .*\nENABLED is .*\nNAME is missing.*$/,
  });
});

t.test('any environment gives values that fit, or a ConfigError', async (t) => {
  const names = Object.keys(Schema.properties);
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), fc.string()), (env) => {
        try {
          const { PORT, RATIO } = readEnvironment(Schema, env);
          return Number.isInteger(PORT) && PORT >= 1 && PORT <= 65_535 && RATIO >= 0 && RATIO <= 1;
        } catch (error) {
          return (error as Error).name === 'ConfigError';
        }
      }),
      { numRuns: 1_000 },
    ),
  );
});

const redis = (env: Record<string, string>) =>
  toRedisSettings(readEnvironment(Type.Object({ ...redisEnvironment }), { REDIS_URL: 'redis://one:6379', ...env }));

t.test('Redis settings', async (t) => {
  t.same(redis({}), {
    urls: { live: 'redis://one:6379', queue: 'redis://one:6379', cache: 'redis://one:6379' },
    isCluster: false,
    sentinels: undefined,
    prefix: 'hushryd:',
    partitions: 16,
    commandTimeoutMs: 500,
  });
  t.equal(redis({ REDIS_LIVE_URL: 'redis://live' }).urls.live, 'redis://live');
  t.same(redis({ REDIS_SENTINELS: 'a:1,b:2', REDIS_SENTINEL_NAME: 'main' }).sentinels, {
    hosts: ['a:1', 'b:2'],
    name: 'main',
  });
  t.throws(() => redis({ REDIS_SENTINELS: 'a:1' }), /REDIS_SENTINEL_NAME is missing/);
  t.throws(
    () => redis({ REDIS_SENTINELS: 'a' }),
    /REDIS_SENTINELS is "a", expected a comma list, each entry host:port/,
  );
  t.throws(() => redis({ REDIS_SENTINELS: 'a:1', REDIS_SENTINEL_NAME: 'm', REDIS_CLUSTER_MODE: 'true' }), /both set/);
  t.throws(() => redis({ REDIS_URL: 'http://:secret@one' }), /^(?!.*secret)/);
  t.throws(() => redis({ REDIS_COMMAND_TIMEOUT_MS: '501' }), /from 10 to 500/);
  t.throws(() => redis({ REDIS_PREFIX: 'a{b}' }), /REDIS_PREFIX/);
});

const mongo = (env: Record<string, string>) =>
  toMongoSettings(readEnvironment(Type.Object({ ...mongoEnvironment }), env));

t.test('MongoDB settings take the address under either name', async (t) => {
  t.equal(mongo({ MONGODB_URI: 'mongodb://uri' }).url, 'mongodb://uri');
  t.equal(mongo({ MONGODB_URI: 'mongodb://uri', MONGODB_URL: 'mongodb+srv://url' }).url, 'mongodb+srv://url');
  t.throws(() => mongo({}), /^MONGODB_URL is missing/);
  t.throws(
    () => mongo({ MONGODB_URL: 'mongodb://a', MONGODB_POOL_SIZE: '5' }),
    /MONGODB_MIN_POOL_SIZE is 10, above MONGODB_POOL_SIZE \(5\)/,
  );
});

const token = (env: Record<string, string>) =>
  toTokenSettings(readEnvironment(Type.Object({ ...tokenEnvironment }), { SERVICE_TOKEN: 's'.repeat(32), ...env }));

t.test('the key ring comes from a variable or from a file', async (t) => {
  const path = join(t.testdir({}), 'ring.json');
  writeFileSync(path, '{"file":"pem"}');

  t.equal(token({ TOKEN_PUBLIC_KEYS_FILE: path }).publicKeysJson, '{"file":"pem"}');
  t.equal(token({ TOKEN_PUBLIC_KEYS_FILE: path, TOKEN_PUBLIC_KEYS: '{}' }).publicKeysJson, '{}');
  t.throws(() => token({}), /^TOKEN_PUBLIC_KEYS is missing/);
  t.throws(() => token({ TOKEN_PUBLIC_KEYS_FILE: '/no/such' }), /names \/no\/such, which cannot be read/);
  t.throws(() => token({ SERVICE_TOKEN: 'short' }), /SERVICE_TOKEN is a value \(not shown\)/);
});

t.test('every shared group reads with nothing but what it requires', async (t) => {
  t.same(readEnvironment(Type.Object({ ...commonEnvironment }), {}), {
    NODE_ENV: 'development',
    LOG_LEVEL: 'info',
    HOST: '127.0.0.1',
    METRICS_PORT: 0,
    SHUTDOWN_TIMEOUT_MS: 25_000,
  });
});
