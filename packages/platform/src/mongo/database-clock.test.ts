import t from 'tap';
import { createLogger } from '../logging/create-logger.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { testMongo } from '../testing/engines.ts';
import { waitFor } from '../testing/wait-for.ts';
import { createDatabaseClock } from './database-clock.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const { db } = await testMongo(t);
/** Nobody waits for milliseconds here: the mistakes this is about are of minutes. */
const isNear = (oneMs: number, otherMs: number) => Math.abs(oneMs - otherMs) < 30_000;

t.test('it is the database’s, whatever the process believes', async (t) => {
  const started = Date.now();
  const own = Date.now;
  t.teardown(() => {
    Date.now = own;
  });
  const telemetry = createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false });
  const clock = createDatabaseClock({ db, log, telemetry });
  t.teardown(() => clock.close());

  Date.now = () => own() + 300_000;
  t.ok(isNear(clock.now(), started + 300_000), 'its own before it has looked');
  await clock.start();
  t.ok(isNear(clock.now(), started));
  const offset = await telemetry.registry.getSingleMetric('database_clock_offset_seconds')?.get();
  t.ok(isNear(1_000 * (offset?.values[0]?.value ?? 0), 300_000), 'and how far off the own one is can be watched');
  Date.now = () => own() - 300_000;
  t.ok(isNear(clock.now(), started), 'a step changes nothing');
});

t.test('time passes between two looks, and a look that fails leaves it as it was', async (t) => {
  let passed = 0;
  let databaseMs = 1_000_000;
  const hello = async () => {
    if (databaseMs === 0) throw new Error('away');
    passed += 20;
    return { localTime: new Date(databaseMs) };
  };
  const clock = createDatabaseClock({ db: { command: hello } as never, log, everyMs: 5, passedMs: () => passed });
  t.teardown(() => clock.close());

  await clock.start();
  await clock.close();
  t.equal(clock.now(), 1_000_010, 'it was read half way through');
  passed += 7_000;
  t.equal(clock.now(), 1_007_010);

  databaseMs = 0;
  const later = createDatabaseClock({ db: { command: hello } as never, log, everyMs: 5, passedMs: () => passed });
  t.teardown(() => later.close());
  await later.start();
  t.ok(isNear(later.now(), Date.now()), 'nobody answered');
  databaseMs = 2_000_000;
  t.ok(
    await waitFor(() => later.now() >= 2_000_000 && later.now() < 3_000_000, {
      withinMs: 20_000,
      what: 'the next look',
    }),
  );
});

t.test('a slow answer does not move it, unless the database’s clock was set', async (t) => {
  let passed = 0;
  let databaseMs = 1_000_000;
  let takesMs = 20;
  let looks = 0;
  /** Read soon after it was asked for, and a long time on its way back. */
  const hello = async () => {
    const localTime = new Date(databaseMs + 10);
    passed += takesMs;
    databaseMs += takesMs;
    looks += 1;
    return { localTime };
  };
  const clock = createDatabaseClock({ db: { command: hello } as never, log, everyMs: 5, passedMs: () => passed });
  t.teardown(() => clock.close());
  const wrongBy = () => Math.abs(clock.now() - databaseMs);
  await clock.start();
  t.equal(wrongBy(), 0);

  takesMs = 2_000;
  t.ok(await waitFor(() => looks > 4, { withinMs: 20_000, what: 'slow answers' }));
  t.equal(wrongBy(), 0);
  databaseMs += 3_600_000;
  t.ok(await waitFor(() => wrongBy() <= 1_000, { withinMs: 20_000, what: 'the clock that was set' }));
});
