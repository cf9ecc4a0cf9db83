import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { ConfigError } from '../config/config-error.ts';
import { createLogger } from '../logging/create-logger.ts';
import { waitFor } from '../testing/wait-for.ts';
import { createInstanceId } from './instance-id.ts';
import { createLifecycle } from './lifecycle.ts';
import { createPeriodic } from './periodic.ts';
import { startInTurn, startPatiently } from './start-patiently.ts';

const lines: Record<string, unknown>[] = [];
const log = createLogger({
  service: 'test',
  instanceId: 'test-1',
  level: 'info',
  destination: { write: (line) => void lines.push(JSON.parse(line)) },
});

/** A real process; `onLine` may send it signals. */
async function runChild(
  behaviour: string,
  onLine: (line: Record<string, unknown>, kill: (signal: NodeJS.Signals) => void) => void,
) {
  const path = fileURLToPath(new URL('../../test/lifecycle-child.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import=tsx', '--conditions=@hushryd/source', path, behaviour], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const logged: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as Record<string, unknown>;
    logged.push(line);
    onLine(line, (signal) => child.kill(signal));
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, logged };
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal} closes in reverse order, logs once and exits 0`, async (t) => {
    const { code, logged } = await runChild('clean', (line, kill) => line.msg === 'started' && kill(signal));

    t.equal(code, 0);
    t.match(
      logged.map(({ msg, step }) => [msg, step]),
      [
        ['started', undefined],
        ['shutting down', undefined],
        ['closing', 'third'],
        ['closing', 'second'],
        ['shutdown complete', undefined],
      ],
    );
    t.match(logged.at(-1), { reason: signal, durationMs: Number, failedCount: 0, socketsDrained: 12 });
  });
}

t.test('a step that fails is named, the others still close, the exit is 1', async (t) => {
  const { code, logged } = await runChild('failing', (line, kill) => line.msg === 'started' && kill('SIGTERM'));

  t.equal(code, 1);
  t.ok(logged.some(({ msg, step }) => msg === 'shutdown step failed' && step === 'second'));
  t.match(logged.at(-1), { msg: 'shutdown complete', failedCount: 1 });
});

t.test('a step that hangs ends with the deadline', async (t) => {
  const { code, logged } = await runChild('stuck-short', (line, kill) => line.msg === 'started' && kill('SIGTERM'));

  t.equal(code, 1);
  t.match(
    logged.find(({ msg }) => msg === 'shutdown step failed'),
    { step: 'second', err: { code: 'step_timeout' } },
  );
});

t.test('a second SIGTERM changes nothing', async (t) => {
  const { code, logged } = await runChild('clean', (line, kill) => {
    if (line.msg === 'started' || line.step === 'third') kill('SIGTERM');
  });

  t.equal(code, 0);
  t.match(logged.at(-1), { msg: 'shutdown complete', failedCount: 0 });
});

t.test('a second SIGINT does not wait', async (t) => {
  const { code, logged } = await runChild('stuck', (line, kill) => {
    if (line.msg === 'started') kill('SIGTERM');
    if (line.step === 'second') kill('SIGINT');
  });

  t.equal(code, 1);
  t.equal(logged.at(-1)?.msg, 'second signal, exiting without waiting');
});

for (const behaviour of ['uncaught', 'unhandled']) {
  t.test(`an error that is ${behaviour} is logged and exits 1`, async (t) => {
    const { code, logged } = await runChild(behaviour, () => {});

    t.equal(code, 1);
    t.match(logged.at(-1), { level: 'fatal', msg: 'uncaught error' });
  });
}

t.test('closing twice is closing once, and nothing is added to a closed lifecycle unseen', async (t) => {
  const lifecycle = createLifecycle({ log, timeoutMs: 10_000 });
  let closed = 0;
  lifecycle.add('one', () => {
    closed += 1;
  });
  t.equal(lifecycle.isClosing, false);

  const first = lifecycle.close('test');
  t.equal(lifecycle.isClosing, true);
  // Started while the signal came: it must not stay open.
  lifecycle.add('late', () => {
    closed += 1;
  });

  t.same(await Promise.all([first, lifecycle.close('again')]), [true, true]);
  t.equal(closed, 2);
});

t.test('a step has its own deadline, and leaves the rest to the others', async (t) => {
  const lifecycle = createLifecycle({ log, timeoutMs: 60_000 });
  let wasClosed = false;
  lifecycle.add('first', () => {
    wasClosed = true;
  });
  lifecycle.add('hangs', () => new Promise(() => {}), { timeoutMs: 20 });

  t.equal(await lifecycle.close('test'), false);
  t.ok(wasClosed);
});

t.test('periodic work never overlaps, survives errors and ends with close', async (t) => {
  let running = 0;
  let most = 0;
  let runs = 0;
  const enough = deferred();
  const periodic = createPeriodic({
    name: 'probe',
    everyMs: 1,
    log,
    async run() {
      running += 1;
      most = Math.max(most, running);
      await pause(2);
      running -= 1;
      runs += 1;
      if (runs === 12) enough.resolve();
      if (runs <= 3) throw new Error('not yet');
    },
  });

  periodic.start();
  periodic.start();
  void periodic.runNow();
  await enough.promise;
  await periodic.close();
  const atClose = runs;
  await periodic.runNow();
  await pause(20);

  t.equal(most, 1);
  t.equal(periodic.failedCount, 3);
  t.equal(runs, atClose);
  t.equal(lines.filter(({ msg, name }) => msg === 'periodic work failed' && name === 'probe').length, 1);
});

t.test('runNow during a run asks for one more, once', async (t) => {
  let runs = 0;
  const gate = deferred();
  const periodic = createPeriodic({
    name: 'probe',
    everyMs: 60_000,
    log,
    async run() {
      runs += 1;
      if (runs === 1) await gate.promise;
    },
  });
  periodic.start();
  const asked = [periodic.runNow(), periodic.runNow(), periodic.runNow()];
  gate.resolve();
  await Promise.all(asked);

  t.equal(runs, 2);
  await periodic.runNow();
  t.equal(runs, 3);
  await periodic.close();
});

t.test('close aborts the run in progress and waits for it, without an error', async (t) => {
  const started = deferred();
  let hasEnded = false;
  const periodic = createPeriodic({
    name: 'aborted',
    everyMs: 1,
    log,
    async run(signal) {
      started.resolve();
      await pause(60_000, undefined, { signal }).finally(() => {
        hasEnded = true;
      });
    },
  });
  periodic.start();
  await started.promise;

  await periodic.close();

  t.ok(hasEnded);
  t.equal(periodic.failedCount, 0);
});

t.test(
  'a start is tried again while its store is slow, not for ever, and not where a person has to help',
  async (t) => {
    let tries = 0;
    const start = async () => {
      tries += 1;
      if (tries < 3) throw new Error('not yet');
      return tries;
    };
    t.equal(await startPatiently(start), 3);
    await t.rejects(
      startPatiently(() => Promise.reject(new Error('never')), { withinMs: 300 }),
      /never/,
    );

    tries = 0;
    const misconfigured = () => {
      tries += 1;
      throw new ConfigError('PORT is taken');
    };
    await t.rejects(startPatiently(misconfigured), /PORT is taken/);
    t.equal(tries, 1);
  },
);

t.test('what does not start in time is started in the background, in turn, and once each', async (t) => {
  const started: string[] = [];
  let isAway = true;
  const part = (name: string, needsStore: boolean) => ({
    name,
    start: async () => {
      if (needsStore && isAway) throw new Error('away');
      started.push(name);
    },
  });
  const parts = [part('first', false), part('second', true), part('third', false)];

  const stop = await startInTurn(parts, { withinMs: 0, log });
  t.strictSame(started, ['first']);
  isAway = false;
  await waitFor(() => started.length === 3, { withinMs: 5_000, what: 'the others' });
  t.strictSame(started, ['first', 'second', 'third']);
  stop();

  isAway = true;
  started.length = 0;
  (await startInTurn(parts, { withinMs: 0, log }))();
  isAway = false;
  // Longer than the pause between two tries.
  await pause(600);
  t.strictSame(started, ['first'], 'nobody tries on who was told to stop');

  const misconfigured = { name: 'misconfigured', start: () => Promise.reject(new ConfigError('PORT is taken')) };
  await t.rejects(startInTurn([misconfigured], { withinMs: 0, log }), /PORT is taken/);
});

t.test('an instance id is new at every start', async (t) => {
  t.match(createInstanceId('api'), /^api-[0-9a-f]{10}$/);
  t.not(createInstanceId('api'), createInstanceId('api'));
});

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
