import { mock } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { createHealthReports } from './health-reports.ts';

t.test('a dependency that never answers delays no report by more than the 200 ms that are promised', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const reports = createHealthReports({
    service: 'test',
    instanceId: 'test',
    isDraining: () => false,
    needs: 'all',
    dependencies: { hung: () => new Promise(() => undefined), well: async () => undefined },
  });

  for (const report of [() => reports.health(), () => reports.ready()]) {
    let answered: unknown;
    void report().then((body) => {
      answered = body;
    });
    mock.timers.tick(100);
    await nextTurn();
    t.equal(answered, undefined, 'a slow one is waited for');
    mock.timers.tick(50);
    await nextTurn();
    t.match(answered, { status: /^(degraded|not_ready)$/ });
  }
});

t.test('where a process names what it needs, the rest keeps it from being up, not from being ready', async (t) => {
  const isAway = { redis: false, internalApi: true };
  const ping = (name: keyof typeof isAway) => async () => {
    if (isAway[name]) throw new Error('away');
  };
  const reports = createHealthReports({
    service: 'test',
    instanceId: 'test',
    isDraining: () => false,
    needs: ['redis'],
    dependencies: { redis: ping('redis'), internalApi: ping('internalApi') },
  });
  t.equal((await reports.ready()).status, 'ready');
  t.equal((await reports.health()).status, 'degraded');

  isAway.redis = true;
  t.equal((await reports.ready()).status, 'not_ready');
});

t.test('a process that can do its work without them is ready without them, and tells of each', async (t) => {
  const isThere = { redis: true, mongodb: true };
  let canWithout = true;
  let isDraining = false;
  const ping = (name: keyof typeof isThere) => async () => {
    if (!isThere[name]) throw new Error('away');
  };
  const reports = createHealthReports({
    service: 'test',
    instanceId: 'test',
    isDraining: () => isDraining,
    needs: { canWithout: () => canWithout },
    dependencies: { redis: ping('redis'), mongodb: ping('mongodb') },
  });
  t.match(await reports.ready(), { status: 'ready', dependencies: { redis: { status: 'up' } } });

  isThere.redis = false;
  isThere.mongodb = false;
  t.match(await reports.ready(), {
    status: 'ready',
    dependencies: { redis: { status: 'down' }, mongodb: { status: 'down' } },
  });
  canWithout = false;
  t.match(await reports.ready(), { status: 'not_ready', dependencies: { mongodb: { status: 'down' } } });
  isThere.mongodb = true;
  t.equal((await reports.ready()).status, 'ready', 'one of them will do');
  canWithout = true;
  isDraining = true;
  t.equal((await reports.ready()).status, 'draining');
});
