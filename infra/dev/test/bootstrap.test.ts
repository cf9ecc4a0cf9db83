import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t, { type Test } from 'tap';

// The bootstrap in a workspace of its own, with an npx and an npm on PATH that write down what they are asked.

const sources = join(import.meta.dirname, '..');

const fakeNpx = `#!/bin/sh
echo "$*" >> calls
case "$*" in *install*)
  [ -f install-hangs ] && { sleep 600 & echo $! > install-pid; wait; }
  [ -f install-fails ] && { cat install-fails; exit 1; }
  mkdir -p node_modules;;
*build*)
  mkdir -p infra/dev/dist packages/one/dist
  cp main.mjs infra/dev/dist/main.js;;
esac
`;
const fakeNpm = '#!/bin/sh\necho "registry=http://127.0.0.1:9/"\necho "https-proxy=null"\necho "proxy=null"\n';
const main = "console.log('main got', process.argv.slice(2).join(' ')); process.exitCode = 7;\n";

function createWorkspace(t: Test) {
  const dir = mkdtempSync(join(tmpdir(), 'hushryd-bootstrap-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const write = (path: string, content: string): void => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  };
  cpSync(join(sources, 'bootstrap'), join(dir, 'infra/dev/bootstrap'), { recursive: true });
  for (const file of ['bootstrap.mjs', 'start-help.txt']) cpSync(join(sources, file), join(dir, 'infra/dev', file));
  write('package.json', '{ "type": "module", "packageManager": "pnpm@1.2.3" }');
  write('pnpm-lock.yaml', 'one');
  write('main.mjs', main);
  write('packages/one/package.json', '{}');
  write('packages/one/src/file.ts', 'one');
  mkdirSync(join(dir, 'services'));
  for (const [name, script] of Object.entries({ npx: fakeNpx, npm: fakeNpm })) {
    write(`bin/${name}`, script);
    chmodSync(join(dir, 'bin', name), 0o755);
  }

  const start = (...args: string[]): ChildProcess =>
    spawn(process.execPath, [join(dir, 'infra/dev/bootstrap.mjs'), ...args], {
      cwd: dir,
      env: { PATH: [join(dir, 'bin'), process.env.PATH].join(delimiter) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const run = (...args: string[]) => ended(start(...args));
  const calls = (): string[] =>
    existsSync(join(dir, 'calls')) ? readFileSync(join(dir, 'calls'), 'utf8').trim().split('\n') : [];
  return { dir, write, start, run, calls };
}

async function ended(child: ChildProcess): Promise<{ code: number | null; out: string; err: string }> {
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, err, code] = await Promise.all([
    child.stdout ? text(child.stdout) : '',
    child.stderr ? text(child.stderr) : '',
    exit,
  ]);
  return { code, out, err };
}

const install = '-y pnpm@1.2.3 install --frozen-lockfile';
const build = '-y pnpm@1.2.3 exec turbo run build --output-logs=errors-only --filter=!@hushryd/bench';

t.test('the first start installs and builds, the second does neither, and both become the runner', async (t) => {
  const { run, calls } = createWorkspace(t);

  const first = await run('start', '--vehicles', '3');
  t.equal(first.code, 7, 'the exit code is that of the runner');
  t.match(first.out, /main got --vehicles 3/);
  t.same(calls(), [install, build]);

  const second = await run('start');
  t.equal(second.code, 7);
  t.same(calls(), [install, build], 'nothing was asked again');
});

t.test('a changed lock file installs again, a changed source builds again', async (t) => {
  const { run, calls, write } = createWorkspace(t);
  await run('start');

  write('packages/one/src/file.ts', 'one and more');
  await run('start');
  t.same(calls(), [install, build, build]);

  write('pnpm-lock.yaml', 'two');
  await run('start');
  t.same(calls(), [install, build, build, install, build]);
});

t.test('a failed install shows the end of its log, and is done again next time', async (t) => {
  const { run, write, dir, calls } = createWorkspace(t);
  write('install-fails', 'first words\nthe disk is full\n');

  const failed = await run('start');
  t.equal(failed.code, 1);
  t.match(
    failed.err,
    /the disk is full\n\nInstalling packages failed \(1\); all of it is in \.hushryd\/logs\/install\.log\.\n/,
  );

  rmSync(join(dir, 'install-fails'));
  t.equal((await run('start')).code, 7);
  t.same(calls(), [install, install, build]);
});

t.test('what a person can put right is one sentence', async (t) => {
  const { run, write } = createWorkspace(t);

  write('install-fails', 'npm error code EAI_AGAIN\n');
  const offline = await run('start');
  t.equal(
    offline.err,
    'The packages cannot be fetched because 127.0.0.1 does not answer: connect to the internet (or name a registry you can reach: npm config set registry …) and try again.\n',
  );

  const unknown = await run('fly');
  t.match(unknown.err, /^Unknown command "fly": use one of start, test, [a-z:, ]+, reset\.\n$/);
  t.equal(unknown.code, 1);

  const other = createWorkspace(t);
  other.write('.hushryd', 'a file, where a folder should be');
  const unwritable = await other.run('start');
  t.match(
    unwritable.err,
    /^HushRyd keeps its packages and data in .* and cannot write there \([A-Z]+\): make the folder yours.*\n$/,
  );
});

t.test('--help answers without installing anything', async (t) => {
  const { run, calls } = createWorkspace(t);

  const help = await run('start', '--help');

  t.equal(help.code, 0);
  t.equal(help.out, readFileSync(join(sources, 'start-help.txt'), 'utf8'));
  t.same(calls(), []);
});

t.test('ended while it installs, it leaves nothing running', async (t) => {
  const { start, write, dir } = createWorkspace(t);
  write('install-hangs', '');
  const child = start('start');
  const end = ended(child);
  const pidFile = join(dir, 'install-pid');
  await waitFor(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '', {
    withinMs: 20_000,
    what: 'the install',
  });
  const pid = Number(readFileSync(pidFile, 'utf8'));

  child.kill('SIGTERM');

  const { code, err } = await end;
  t.equal(code, 130);
  t.equal(err, 'Stopped.\n');
  await waitFor(() => !isRunning(pid), { withinMs: 20_000, what: 'the end of the install' });
  t.notOk(existsSync(join(dir, '.hushryd/bootstrap.lock')), 'the next start need not wait');
});

// Elsewhere than on Linux a process is known by its id alone.
const skip = process.platform !== 'linux' && 'start times are read from /proc';

t.test(
  'reset forgets data, keeps the program of the database, and refuses while something runs',
  { skip },
  async (t) => {
    const { run, write, dir } = createWorkspace(t);
    t.match((await run('reset')).out, /nothing to reset|Reset:/);
    const startedAt = readFileSync('/proc/self/stat', 'latin1').split(') ').at(-1)?.split(' ')[19];
    write('.hushryd/secantus-1/bin/python', '');
    write('.hushryd/keys/private.pem', '');
    write('.hushryd/redis/data/file.aof', '');
    write('.hushryd/redis/engine.json', JSON.stringify({ owner: `${process.pid}@${startedAt}` }));

    const refused = await run('reset');
    t.equal(refused.code, 1);
    t.equal(
      refused.err,
      `.hushryd/redis is in use by process ${process.pid}: stop that first (Ctrl-C where it runs), then reset.\n`,
    );
    t.ok(existsSync(join(dir, '.hushryd/redis/data/file.aof')));

    // The same process id with another start time: a later process that got the id of one long gone.
    write('.hushryd/redis/engine.json', JSON.stringify({ owner: `${process.pid}@1` }));
    t.equal((await run('reset')).code, 0);
    t.notOk(existsSync(join(dir, '.hushryd/redis')));
    t.notOk(existsSync(join(dir, '.hushryd/keys')));
    t.ok(existsSync(join(dir, '.hushryd/secantus-1/bin/python')));
  },
);

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}
