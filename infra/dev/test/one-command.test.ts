import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAlive, processIdentity } from '@hushryd/platform/engines/process-identity';
import { waitFor, within } from '@hushryd/platform/testing/wait-for';
import { createHttpClient } from '@hushryd/sdk/http/http-client';
import t, { type Test } from 'tap';

// `npm start` after it has built: the runner as a process, with engines, services and a fleet of its own.

const entry = fileURLToPath(new URL('../dist/main.js', import.meta.url));
// Neither where `npm start` looks by itself nor where screenshots are taken.
const portBase = 7800;
const api = `http://127.0.0.1:${portBase}`;
const site = `http://127.0.0.1:${portBase + 2}`;
const patient = 60_000;

const dataDir = await mkdtemp(join(tmpdir(), 'hushryd-one-command-'));
t.teardown(() => rm(dataDir, { recursive: true, force: true }));

interface Runner {
  readonly child: ChildProcess;
  output(): string;
  errors(): string;
  /** The code of the printed link, and how long it took to be there. */
  ready(): Promise<{ code: string; afterMs: number }>;
  exitCode(): Promise<number | null>;
}

function start(t: Test): Runner {
  // The engines of the test run would be taken for the person's own: this one finds and starts them, as on a fresh machine.
  const { REDIS_URL: _, MONGODB_URL: __, MONGODB_URI: ___, ...env } = process.env;
  const startedAtMs = performance.now();
  const options = ['--port-base', String(portBase), '--data', dataDir, '--vehicles', '3', '--interval', '1'];
  const child = spawn(process.execPath, [entry, ...options], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.err += text;
  });
  const closed = once(child, 'close') as Promise<[number | null]>;
  t.teardown(async () => {
    // After a failure; its guards end what it started.
    child.kill('SIGKILL');
    await closed;
  });
  return {
    child,
    output: () => said.out,
    errors: () => said.err,
    async ready() {
      const [, code = ''] = await waitFor(() => /#code=(\S+)/.exec(said.out), { withinMs: patient, what: 'the link' });
      return { code, afterMs: performance.now() - startedAtMs };
    },
    async exitCode() {
      const [code] = await within(closed, { withinMs: patient, what: 'the end of the runner' });
      return code;
    },
  };
}

/** What the page does with the code of its link, and later with what it got for it. */
async function signIn(
  body: { code: string } | { refreshToken: string },
): Promise<{ token: string; refreshToken: string; status: number }> {
  const headers = { 'content-type': 'application/json' };
  const reply = await fetch(`${site}/dev/token`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { ...((await reply.json()) as { token: string; refreshToken: string }), status: reply.status };
}

/** The button of the SOS desk: the alert is there with the rider's made-up contacts, and somebody is on call. */
async function pressSimulatedSos(t: Test, token: string): Promise<void> {
  const press = (authorization: string) =>
    fetch(`${site}/dev/sos`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: '{}',
    });
  t.equal((await press('')).status, 401);
  t.equal((await press('Bearer of-nobody')).status, 401, 'the api says who is an operator');
  const pressed = await waitFor(
    async () => {
      const reply = await press(`Bearer ${token}`);
      // Cars without anybody in them, or not heard of yet.
      return reply.status === 409 ? undefined : reply;
    },
    { withinMs: patient, what: 'a rider on a trip' },
  );
  t.equal(pressed.status, 201);
  const { alertId } = (await pressed.json()) as { alertId: string };
  const alert = await operator(token).getAlert(alertId);
  t.match(alert, { alertId, role: 'rider', location: {}, tripId: /^car-/ });
  const contacts = new Set(alert.outbox?.map(({ recipientId }) => recipientId));
  t.ok(contacts.has('mira') && contacts.has('arjun'), 'made-up contacts are told');
  t.match(await operator(token).getOnCall(), { version: 1, onCall: [{ level: 0, personIds: ['asha'] }, {}, {}] });
}

const operator = (token: string) => createHttpClient({ apiUrl: api, getToken: async () => token });

/** Everything below a process, as `pid@start`, so that a later process with the same id is not mistaken for it. */
async function descendants(pid: number): Promise<string[]> {
  const parents = new Map<number, number>();
  for (const name of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    const stat = await readFile(`/proc/${name}/stat`, 'latin1').catch(() => '');
    parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const isBelow = (child: number | undefined): boolean =>
    child !== undefined && child > 1 && (parents.get(child) === pid || isBelow(parents.get(child)));
  return [...parents.keys()].filter(isBelow).flatMap((child) => processIdentity(child) ?? []);
}

const skip = !existsSync('/proc/self/stat') && 'processes are counted in /proc';

t.test('one command: sign in, end, start again with everything kept, end at once', { skip }, async (t) => {
  const first = start(t);
  const { code } = await first.ready();
  const session = await signIn({ code });
  t.equal((await signIn({ code })).status, 401, 'the link works once');
  const cars = () => operator(session.token).listTrips({ q: 'car-', limit: 10 });
  const { tripId } = await waitFor(async () => (await cars()).trips[0], {
    withinMs: patient,
    what: 'a trip of the fleet',
  });

  const inbox = await fetch(`http://127.0.0.1:${portBase + 15}/`);
  t.match(await inbox.text(), /<html/, 'the inbox is there');
  await pressSimulatedSos(t, session.token);
  const started = await descendants(first.child.pid ?? 0);
  t.ok(started.length >= 7, `two engines, the inbox, three services and the fleet: ${started.length} processes`);
  first.child.kill('SIGINT');
  t.equal(await first.exitCode(), 0, first.errors());
  t.match(first.output(), /Stopped in [\d.]+ s\./);
  t.same(started.filter(isAlive), [], 'nothing is left running');

  const second = start(t);
  const again = await second.ready();
  t.comment(`the second start took ${(again.afterMs / 1000).toFixed(1)} s`);
  const renewed = await signIn({ refreshToken: session.refreshToken });
  t.equal(renewed.status, 200, 'who was signed in still is');
  t.match(await operator(renewed.token).getTrip(tripId), { tripId }, 'the trip is kept');

  const startedAgain = await descendants(second.child.pid ?? 0);
  second.child.kill('SIGINT');
  // The same Ctrl-C may arrive twice by way of npm, so one that comes right after the first does not count.
  const isHeard = () => second.output().includes('Ending everything at once.') || !second.child.kill('SIGINT');
  await waitFor(isHeard, { withinMs: patient, what: 'the second Ctrl-C to be heard' });
  t.equal(await second.exitCode(), 0, second.errors());
  t.match(second.output(), 'Ending everything at once.');
  await waitFor(() => !startedAgain.some(isAlive), { withinMs: patient, what: 'the end of all that was started' });
  t.pass('nothing is left running this way either');
});

t.test('a taken port is one sentence, before anything was started', async (t) => {
  const server = createServer().listen(portBase + 2, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());

  const runner = start(t);

  t.equal(await runner.exitCode(), 1);
  t.match(
    runner.errors(),
    new RegExp(
      `^Port ${portBase + 2}, meant for the console, is taken by another program: [^\\n]*--console-port N[^\\n]*\\n$`,
    ),
  );
  t.notMatch(runner.output(), /redis|starting/i);
});
