import t from 'tap';
import { createHealthReports } from '../health/health-reports.ts';
import { startMetricsServer } from './metrics-server.ts';
import { createTelemetry } from './telemetry.ts';

const quiet = { service: 'test', instanceId: 'test-1', withProcessMetrics: false };

t.test('metrics carry service and instance, and two registries do not meet', async (t) => {
  const one = createTelemetry(quiet);
  const two = createTelemetry(quiet);
  one.counter({ name: 'drops_total', help: 'Drops', labelNames: ['reason'] }).inc({ reason: 'future' }, 2);
  two.counter({ name: 'drops_total', help: 'Drops', labelNames: ['reason'] }).inc({ reason: 'future' });

  t.match(await one.registry.metrics(), 'drops_total{reason="future",service="test",instance="test-1"} 2');
  t.match(await two.registry.metrics(), 'drops_total{reason="future",service="test",instance="test-1"} 1');
});

t.test('the same name is the same metric; another kind under it is a mistake', async (t) => {
  const { counter, gauge, histogram } = createTelemetry(quiet);

  t.equal(counter({ name: 'a_total', help: 'A' }), counter({ name: 'a_total', help: 'A' }));
  t.equal(histogram({ name: 'b_seconds', help: 'B' }), histogram({ name: 'b_seconds', help: 'B' }));
  t.throws(() => gauge({ name: 'a_total', help: 'A' }), /a_total exists as another kind/);
});

t.test('Node describes itself', async (t) => {
  const { registry } = createTelemetry({ service: 'test', instanceId: 'test-1' });
  const text = await registry.metrics();

  for (const name of [
    'process_cpu_user_seconds_total',
    'process_resident_memory_bytes',
    'nodejs_eventloop_lag_p99_seconds',
  ]) {
    t.match(text, name);
  }
});

t.test('the metrics server answers GET /metrics and nothing else', async (t) => {
  const { registry, gauge } = createTelemetry(quiet);
  gauge({ name: 'sockets', help: 'Open sockets' }).set(3);
  const server = await startMetricsServer({ registry, host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${server.port}`;

  const found = await fetch(`${url}/metrics?x=1`);
  const others = await Promise.all([
    fetch(url),
    fetch(`${url}/metrics/x`),
    fetch(`${url}/metrics`, { method: 'POST' }),
  ]);

  t.match(await found.text(), /^sockets\{.*\} 3$/m);
  t.match(found.headers.get('content-type'), /^text\/plain/);
  t.same(
    others.map(({ status }) => status),
    [404, 404, 404],
  );
  await t.rejects(startMetricsServer({ registry, host: '127.0.0.1', port: server.port }), {
    name: 'ConfigError',
    message: /EADDRINUSE.*set METRICS_PORT to a free port/,
  });
  await server.close();
  await t.rejects(fetch(`${url}/metrics`));
});

t.test('a metric that cannot be read is a 500, and the server lives', async (t) => {
  const { registry, gauge } = createTelemetry(quiet);
  let isBroken = true;
  gauge({
    name: 'fragile',
    help: 'Fails once',
    collect() {
      if (isBroken) throw new Error('not now');
    },
  });
  const server = await startMetricsServer({ registry, host: '127.0.0.1', port: 0 });
  t.teardown(() => server.close());

  t.equal((await fetch(`http://127.0.0.1:${server.port}/metrics`)).status, 500);
  isBroken = false;
  t.equal((await fetch(`http://127.0.0.1:${server.port}/metrics`)).status, 200);
});

t.test('a process without another listener tells its health beside its metrics', async (t) => {
  let isDraining = false;
  let mongodb: () => Promise<unknown> = async () => 'pong';
  const health = createHealthReports({
    service: 'worker',
    instanceId: 'worker-1',
    isDraining: () => isDraining,
    needs: 'all',
    dependencies: { redis: async () => 'PONG', mongodb: () => mongodb() },
  });
  const server = await startMetricsServer({
    registry: createTelemetry(quiet).registry,
    host: '127.0.0.1',
    port: 0,
    health,
  });
  t.teardown(() => server.close());
  const get = async (path: string) => {
    const reply = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return { status: reply.status, body: await reply.json() };
  };

  t.strictSame(await get('/health/live'), { status: 200, body: { status: 'live', instanceId: 'worker-1' } });
  t.strictSame(await get('/health/ready'), { status: 200, body: { status: 'ready', instanceId: 'worker-1' } });
  t.match(await get('/health'), {
    status: 200,
    body: { status: 'up', service: 'worker', dependencies: { redis: { status: 'up' }, mongodb: { status: 'up' } } },
  });

  mongodb = () => new Promise(() => undefined);
  t.match(await get('/health/ready'), { status: 503, body: { status: 'not_ready' } }, 'a hung store is a store away');
  mongodb = () => Promise.reject(new Error('gone'));
  t.match(await get('/health'), {
    status: 200,
    body: { status: 'degraded', dependencies: { redis: { status: 'up' }, mongodb: { status: 'down' } } },
  });

  isDraining = true;
  t.match(await get('/health/ready'), { status: 503, body: { status: 'draining' } });
  t.match(await get('/health'), { status: 200, body: { status: 'draining' } });
  t.equal((await get('/health/live')).status, 200);
});
