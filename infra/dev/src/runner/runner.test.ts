import { EventEmitter, once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import t, { type Test } from 'tap';
import { checkPorts } from './check-ports.ts';
import { createClosing } from './closing.ts';
import { openDataFolder } from './data-folder.ts';
import { onSignals } from './on-signals.ts';
import { hasOwnCompanies, planMessages } from './plan-messages.ts';
import { readLogTail } from './read-log-tail.ts';
import { optionTypes, type Ports, readOptions } from './read-options.ts';
import { screenText } from './screen.ts';
import { planServices } from './service-plan.ts';
import { type Crash, startService } from './service-process.ts';

const defaults = readOptions([]);
const planned = {
  rootDir: '/root',
  redisUrl: 'redis://r',
  mongoUrl: 'mongodb://m',
  publicKeysFile: '/keys.json',
  fieldKeys: { FIELD_KEYS: '{}', FIELD_KEY_CURRENT: 'k', BLIND_INDEX_KEY: 'i' },
  serviceToken: 's'.repeat(43),
  fleetSecret: 'f',
  journalDir: 'j',
  messagesEnv: { WEBHOOK_BASE_URL: 'w' },
};

t.test('without options a made-up city runs on the usual ports', async (t) => {
  t.same(defaults.fleet, { kind: 'city', vehicles: 40, seed: 1, intervalMs: 5000 });
  t.same(defaults.ports, {
    api: 5000,
    realtime: 5001,
    console: 5002,
    internal: 5010,
    apiMetrics: 9464,
    realtimeMetrics: 9465,
    workerMetrics: 9466,
    sandbox: 5020,
  });
  t.equal(defaults.dataDir, undefined);
});

t.test('options are taken as they are meant', async (t) => {
  const replay = readOptions(['--replay', 'a.csv', '--speed', '2.5', '--interval', '15', '--loop', '--data', 'd']);
  const moved = readOptions(['--port-base=7000', '--console-port', '7100', '--no-fleet']);

  t.same(replay.fleet, { kind: 'replay', file: resolve('a.csv'), speed: 2.5, intervalMs: 15_000, isLooped: true });
  t.equal(replay.dataDir, resolve('d'));
  t.match(moved.ports, {
    api: 7000,
    realtime: 7001,
    console: 7100,
    internal: 7010,
    apiMetrics: 7020,
    workerMetrics: 7022,
    sandbox: 7015,
  });
  t.same(moved.fleet, { kind: 'none' });
  t.equal(readOptions(['-h']).wantsHelp, true);
});

t.test('several nodes stand behind a front door, each on ports of its own', async (t) => {
  t.equal(readOptions(['--nodes', '1']).frontDoor, undefined, 'one node needs none');
  const { ports, frontDoor } = readOptions(['--nodes', '3', '--port-base', '7000']);
  const moreNodes = [
    { port: 7030, metricsPort: 7050 },
    { port: 7031, metricsPort: 7051 },
  ];
  t.same(frontDoor, { port: 7003, metricsPort: 7023, moreNodes });
  t.equal(readOptions(['--nodes', '2', '--door-port', '7100']).frontDoor?.port, 7100);

  const fleet = { ...defaults.fleet };
  const plans = planServices({ ...planned, ports, frontDoor, fleet });
  t.same(
    plans.map(({ name, env }) => [name, env.PORT]),
    [
      ['worker', undefined],
      ['api', '7000'],
      ['realtime', '7001'],
      ['realtime-2', '7030'],
      ['realtime-3', '7031'],
      ['fleet', undefined],
    ],
  );
  t.equal(plans[1]?.env.TRUSTED_PROXIES, '127.0.0.1/32', 'the api believes the front door who asks');
  t.match(plans.at(-1)?.env, { API_URL: 'http://127.0.0.1:7003/api', REALTIME_URL: 'ws://127.0.0.1:7003/ws' });
});

t.test('what cannot be meant is one sentence', async (t) => {
  const cases: [string[], RegExp][] = [
    [['--fast'], /^Unknown option '--fast': see npm start -- --help\.$/],
    [['file.csv'], /^Unexpected argument 'file\.csv'.*--help\.$/],
    [['--replay'], /^Option '.*--replay.*--help\.$/],
    [['--vehicles', 'many'], /^--vehicles is "many": give a whole number from 1 to 5000\.$/],
    [['--vehicles', '0'], /--vehicles is "0"/],
    [['--vehicles', '2.5'], /--vehicles is "2\.5"/],
    [['--replay', 'a', '--speed', '0'], /--speed is "0": give a number from 0\.1 to 1000\./],
    [['--speed', '2'], /^--speed is for replays: add --replay FILE/],
    [['--replay', 'a', '--vehicles', '3'], /^--vehicles means nothing beside --replay/],
    [['--no-fleet', '--vehicles', '3'], /^--vehicles means nothing beside --no-fleet/],
    [['--api-port', '80'], /--api-port is "80": give a whole number from 1024/],
    [['--api-port', '5002'], /^Port 5002 is asked for twice/],
    [['--nodes', '2', '--api-port', '5003'], /^Port 5003 is asked for twice/],
    [['--nodes', '9'], /^--nodes is "9": give a whole number from 1 to 8\.$/],
    [['--door-port', '6000'], /^--door-port is for several nodes: add --nodes N\.$/],
  ];

  for (const [args, sentence] of cases)
    t.throws(() => readOptions(args), { name: 'StartError', message: sentence }, args.join(' '));
});

t.test('the base map is an option or a variable, and an address', async (t) => {
  const style = 'https://maps.example/style.json?key=1';
  const tiles = 'http://127.0.0.1:8080/{z}/{x}/{y}.png';
  t.equal(defaults.mapStyleUrl, undefined);
  t.equal(readOptions([], { MAP_STYLE_URL: '' }).mapStyleUrl, undefined, 'an empty variable is none');
  t.equal(readOptions([], { MAP_STYLE_URL: style }).mapStyleUrl, style);
  t.equal(readOptions(['--map-style', tiles], { MAP_STYLE_URL: style }).mapStyleUrl, tiles, 'the option wins');

  const odd: [string, RegExp][] = [
    ['style.json', /^--map-style is "style\.json", which is no http\(s\) address: give an address such as https:/],
    ['file:///etc/passwd', /no http\(s\) address/],
    ['https://tiles.example/{z}/{x}.png', /which has \{z\} and \{x\} alone/],
    ['https://{s}.tiles.example/{z}/{x}/{y}.png', /nobody fills in \{s\}/],
  ];
  for (const [url, sentence] of odd) {
    t.throws(() => readOptions(['--map-style', url]), { name: 'StartError', message: sentence }, url);
  }
  t.throws(() => readOptions([], { MAP_STYLE_URL: 'x' }), { message: /^MAP_STYLE_URL is "x"/ });
});

t.test('the help names every option with its default', async (t) => {
  const help = readFileSync(new URL('../../start-help.txt', import.meta.url), 'utf8');

  for (const name of Object.keys(optionTypes)) t.match(help, new RegExp(`^  --${name}\\b`, 'm'));
  for (const port of [5000, 5001, 5002, 5010, 5020, 9464]) t.match(help, `(default ${port})`);
  t.ok(help.split('\n').length < 48 && help.split('\n').every((line) => line.length <= 120));
});

t.test('a taken port is a sentence with its purpose and the option that moves it', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  const taken = typeof address === 'object' && address ? address.port : 0;
  const ports: Ports = {
    api: 0,
    realtime: 0,
    console: taken,
    internal: 0,
    apiMetrics: 0,
    realtimeMetrics: 0,
    workerMetrics: 0,
    sandbox: 0,
  };

  await t.rejects(checkPorts(ports), {
    message: new RegExp(`^Port ${taken}, meant for the console, is taken by another program: .* --console-port N`),
  });
  await checkPorts({ ...ports, console: 0 });
});

t.test('a data folder belongs to one runner at a time, and must be one', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'hushryd-data-'));
  t.teardown(() => rm(root, { recursive: true }));
  await writeFile(join(root, 'file'), '');

  const data = await openDataFolder(root);
  await t.rejects(openDataFolder(root), { message: new RegExp(`in use by process ${process.pid}`) });
  data.release();
  (await openDataFolder(root)).release();

  if (existsSync('/proc/self')) {
    await t.rejects(openDataFolder('/proc/inside'), { name: 'StartError', message: /cannot be written \(ENOENT\)/ });
  }
  await t.rejects(openDataFolder(join(root, 'file/inside')), {
    name: 'StartError',
    message: /cannot be written \(ENOTDIR\): .* --data DIR/,
  });
});

t.test('services are told one another’s addresses, the keys, and no more than they need', async (t) => {
  const settings = { ...planned, ports: defaults.ports };

  const city = planServices({ ...settings, fleet: defaults.fleet });
  const [worker, api, realtime, fleet] = city;

  t.same(
    city.map((plan) => plan.name),
    ['worker', 'api', 'realtime', 'fleet'],
  );
  t.equal(worker?.env.SERVICE_TOKEN, undefined);
  t.match(worker?.env, { ...planned.fieldKeys, WEBHOOK_BASE_URL: 'w' });
  t.equal(realtime?.env.WEBHOOK_BASE_URL, undefined, 'it sends nothing');
  t.equal(realtime?.env.MONGODB_URL, undefined, 'realtime never waits on MongoDB');
  t.equal(realtime?.env.FIELD_KEYS, undefined, 'and reads no private fields');
  t.match(realtime?.env, { PORT: '5001', INTERNAL_API_URLS: 'http://127.0.0.1:5010', MAX_SPEED_KMH: '350' });
  t.match(api?.env, {
    ...planned.fieldKeys,
    WEBHOOK_BASE_URL: 'w',
    PORT: '5000',
    INTERNAL_PORT: '5010',
    CORS_ORIGINS: 'http://127.0.0.1:5002,http://localhost:5002',
  });
  t.equal(fleet?.env.SERVICE_TOKEN, undefined);
  const replay = readOptions(['--replay', 'x.csv', '--speed', '20']).fleet;
  t.equal(
    planServices({ ...settings, fleet: replay })[2]?.env.MAX_SPEED_KMH,
    '7000',
    'twenty times as fast is believed',
  );
  t.equal(planServices({ ...settings, fleet: { kind: 'none' } }).length, 3);
});

t.test('the sandbox is for whoever has no companies of their own', async (t) => {
  const { ports } = defaults;
  t.equal(hasOwnCompanies({}), false);
  t.equal(hasOwnCompanies({ TWILIO_ACCOUNT_SID: '', SMS_PROVIDERS: 'msg91' }), false, 'empty is absent');
  t.equal(hasOwnCompanies({ SENDGRID_API_KEY: 'x' }), true);

  const own = await planMessages({ ports, hasInbox: false, variables: {} });
  t.same(own, { WEBHOOK_BASE_URL: `http://127.0.0.1:${ports.api}/v1/webhooks` });
  const given = { WEBHOOK_BASE_URL: 'https://api.example/v1/webhooks' };
  t.same(await planMessages({ ports, hasInbox: false, variables: given }), given);
});

t.test('the screen fits a terminal and says what is needed next', async (t) => {
  const text = screenText({
    ...{
      ports: defaults.ports,
      fleet: defaults.fleet,
      logsDir: '/data/logs',
      readyAfterSeconds: 6.04,
      isTerminal: true,
    },
    link: 'http://127.0.0.1:5002/#code=abc',
    hasInbox: true,
    engines: ['Redis 7.0.15', 'SecantusDB 0.7'],
  });

  t.ok(text.split('\n').length <= 24);
  for (const fact of [
    '#code=abc',
    ':5020',
    ':5000/docs',
    ':5001/v1/realtime',
    'Redis 7.0.15',
    'SecantusDB',
    '40 in a made-up city',
    'Ctrl-C',
  ]) {
    t.match(text, fact);
  }
});

t.test('what was started ends in reverse order, and one that fails stops no other', async (t) => {
  const ended: string[] = [];
  const told: string[] = [];
  const closing = createClosing({ tell: (sentence) => told.push(sentence) });
  const step = (name: string, fault?: Error) => ({
    name,
    stop: async () => {
      if (fault) throw fault;
      ended.push(name);
    },
  });
  closing.add(step('first'));
  closing.add(step('second', new Error('stuck')));
  closing.add(step('third'));

  t.equal(await closing.close(), false);
  t.same(ended, ['third', 'first']);
  t.same(told, ['second did not end as it should: stuck']);
  t.equal(await closing.close(), true, 'nothing is ended twice');
});

t.test('a second Ctrl-C is one that comes later, not the same one passed on by npm', async (t) => {
  const source = new EventEmitter();
  const heard: string[] = [];
  let nowMs = 0;
  onSignals({ source, first: () => heard.push('first'), second: () => heard.push('second'), now: () => nowMs });
  const send = (signal: string, atMs: number) => {
    nowMs = atMs;
    source.emit(signal);
    return [...heard];
  };

  t.same(send('SIGINT', 1000), ['first']);
  t.same(send('SIGINT', 1003), ['first']);
  t.same(send('SIGTERM', 1400), ['first', 'second']);
  t.same(send('SIGINT', 3000), ['first', 'second'], 'a third changes nothing');
});

function startScript(t: Test, script: string) {
  const logsDir = mkdtempSync(join(tmpdir(), 'hushryd-logs-'));
  t.teardown(() => rmSync(logsDir, { recursive: true }));
  // A service alone keeps nobody alive.
  const alive = setInterval(() => undefined, 1000);
  t.teardown(() => clearInterval(alive));
  const crashes: Crash[] = [];
  let tell: (fact: Crash) => void = () => undefined;
  const crash = new Promise<Crash>((resolve) => {
    tell = resolve;
  });
  const service = startService({
    plan: { name: 'api', argv: ['-e', script], env: { WORD: 'hello' } },
    rootDir: process.cwd(),
    logsDir,
    onCrash: (fact) => {
      crashes.push(fact);
      tell(fact);
    },
  });
  return { service, crash, crashes, log: join(logsDir, 'api.log') };
}

t.test('a service that ends by itself is a sentence with the end of its log', async (t) => {
  const script = `console.log('some words'); console.log(JSON.stringify({ level: 'error', time: '12:00', service: 'api', msg: process.env.WORD, code: 7 })); process.exit(3)`;

  const { crash, log } = startScript(t, script);

  const { sentence, logTail } = await crash;
  t.match(sentence, /^api ended by itself \(exit code 3\); the end of .*api\.log:$/);
  t.same(logTail, ['some words', '12:00 error: hello {"code":7}']);
  t.same(readLogTail(log, 1), ['12:00 error: hello {"code":7}']);
});

t.test('a service that is asked to end is no crash', async (t) => {
  const { service, crashes } = startScript(
    t,
    `setInterval(() => {}, 1000); process.on('SIGTERM', () => process.exit(0))`,
  );

  t.equal(await service.stop(), true);
  t.equal(await service.stop(), true, 'twice is as good as once');
  t.same(crashes, []);
});
