import fc from 'fast-check';
import t from 'tap';
import { ConfigError } from '../config/config-error.ts';
import { AppError } from '../errors/app-error.ts';
import { createLogger } from './create-logger.ts';

function capture(level = 'trace') {
  const lines: string[] = [];
  const log = createLogger({
    service: 'test',
    instanceId: 'test-1',
    level,
    destination: { write: (line) => void lines.push(line) },
  });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> };
}

const CANARIES = {
  phone: '+491701234567',
  email: 'canary.person@example.org',
  token: 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ',
  lat: 52.520008,
  name: 'Canary Person',
};
const FRAGMENTS = /1234567|canary|52\.520|Canary|c2lnbmF0dXJl/;

t.test('ids, counts, durations, codes and states are shown', async (t) => {
  const { log, last } = capture();

  log.info(
    {
      tripId: 't-1',
      driverIds: ['d-1', 'd-2'],
      durationMs: 12.5,
      fixes: 3,
      code: 'x',
      state: 'open',
      isReady: true,
      partition: 7,
    },
    'shown',
  );

  t.match(last(), {
    level: 'info',
    service: 'test',
    instanceId: 'test-1',
    tripId: 't-1',
    driverIds: ['d-1', 'd-2'],
    durationMs: 12.5,
    fixes: 3,
    code: 'x',
    state: 'open',
    isReady: true,
    partition: 7,
    msg: 'shown',
  });
});

t.test('no canary comes through, whatever way it is logged', async (t) => {
  const { log, lines } = capture();
  const { phone, email, token, lat, name } = CANARIES;
  const failure = Object.assign(new Error(`duplicate key { phone: "${phone}" }`), {
    phone,
    keyValue: { email },
    cause: new TypeError(`cannot read ${email}`),
  });

  log.info({ phone, email, token, lat, lng: lat, name: { person: name } });
  log.info({ request: { driver: { phone, location: { lat, lng: lat } } } }, 'nested');
  log.info({ request: { options: { counts: { driver: { trip: { connection: { phone } } } } } } }, 'deep');
  log.info({ errors: [{ phone }, [{ email }], failure] }, 'in arrays');
  log.info(
    { userId: phone, reason: `mail to ${email}`, path: `/v1/x?lat=${lat}`, source: `redis://:${token}@host` },
    'under allowed names',
  );
  log.info(
    { driverName: name, contactName: name, apiKey: token, passengerCount: phone, speed: lat, latMs: `${lat}` },
    'look-alikes',
  );
  log.info(`sent ${phone} to ${email} with ${token} at ${lat},${lat}`);
  (log.info as (...all: unknown[]) => void)(`${phone}`, { phone }, email);
  log.info({ tripId: 't' }, 'to %s at %j', phone, { lat });
  log.error(failure);
  log.error({ err: failure }, 'with a cause');
  log.error({ anything: failure, error: new AppError('not_found', { detail: 'the trip', cause: failure }) });
  log.child({ phone, tripId: 't', request: { email } }).info('bound');
  log.child({ tripId: 't' }).child({ token }).child({ driver: { phone, lat } }).warn({ email }, 'grandchild');
  log.child({}).info({ authorization: `Bearer ${token}`, headers: { cookie: token }, body: email });
  (log as unknown as { setBindings(bindings: object): void }).setBindings({ phone, email });
  log.info('after setBindings');
  const disguised = { toString: () => phone, toJSON: () => ({ phone }) };
  log.info({ driver: disguised, detail: disguised, request: new Map([['phone', phone]]), reply: Buffer.from(phone) });

  t.ok(lines.length >= 16);
  t.same(
    lines.filter((line) => FRAGMENTS.test(line)),
    [],
  );
});

t.test('a child cannot widen the rules', async (t) => {
  const { log, lines } = capture();
  const child = log.child as (bindings: object, options: object) => typeof log;

  child
    .call(
      log,
      { tripId: 't' },
      { redact: [], serializers: { phone: String }, formatters: { log: (all: object) => all } },
    )
    .info({ phone: CANARIES.phone }, 'child');

  t.notMatch(lines.join(''), FRAGMENTS);
});

t.test('an error is its type and code; its message only where the author is known', async (t) => {
  const { log, last } = capture('info');
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), {
    code: 'ECONNREFUSED',
    syscall: 'connect',
  });

  log.error({ err: new AppError('redis_unavailable', { detail: 'not sent', cause: refused }) }, 'failed');
  t.same(last().err, {
    type: 'AppError',
    code: 'redis_unavailable',
    message: 'Live data is unavailable for the moment: not sent',
    cause: { type: 'Error', code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 127.0.0.1:1' },
  });

  log.error({ err: new ConfigError('PORT is missing: set it.') }, 'failed');
  t.same(last().err, { type: 'ConfigError', code: 'config_invalid', message: 'PORT is missing: set it.' });

  log.error({ err: Object.assign(new RangeError('user text'), { code: 11_000 }) }, 'failed');
  t.same(last().err, { type: 'RangeError', code: 11_000 });

  log.error(new Error('user text'));
  t.equal(last().msg, '');
});

t.test('stacks appear at debug level, without the message', async (t) => {
  const { log, last } = capture('debug');

  log.error({ err: new Error('user text') }, 'failed');

  const { stack } = last().err as { stack: string };
  t.match(stack, /^ {4}at .*logging\.test/);
  t.notMatch(stack, /user text/);
});

t.test('logging survives circles, getters that throw, depth and size', async (t) => {
  const { log, lines, last } = capture();
  const circle: Record<string, unknown> = {};
  circle.request = circle;
  const chain = new Error('a');
  chain.cause = chain;

  log.info({ request: circle }, 'circle');
  log.info({ err: chain }, 'chain');
  log.info(
    {
      options: {
        get settings() {
          throw new Error('no');
        },
      },
    },
    'getter',
  );
  log.info({ tripIds: Array.from({ length: 10_000 }, () => 'id') }, 'long');
  log.info({ reason: 'x'.repeat(100_000) }, 'text');

  t.equal(lines.length, 5);
  t.ok(lines.every((line) => line.length < 4_000));
  t.equal(last().msg, 'text');
});

t.test('an unnamed field is hidden, whatever it holds', async (t) => {
  const seed = Date.now() % 2 ** 31;
  t.comment(`fast-check seed ${seed}`);
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.string({ minLength: 6 }), fc.jsonValue(), (secret, value) => {
        const { log, lines } = capture();
        log.info({ note: secret, comment: value, request: { address: secret, also: [value, secret] } }, 'x');
        const { note, comment, request } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
        return (
          note === '[hidden]' &&
          comment === '[hidden]' &&
          JSON.stringify(request) === '{"address":"[hidden]","also":"[hidden]"}'
        );
      }),
      { seed, numRuns: 1000 },
    ),
  );
});
