import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { toFieldKeys } from '@hushryd/platform/crypto/field-keys';
import { realtimeNodeArgs } from '@hushryd/platform/lifecycle/realtime-node-args';
import t from 'tap';
import Schema from 'typebox/schema';
import { parse } from 'yaml';
import { declaredVariables } from './declared-variables.ts';

// There may be no Docker where this runs, so the files are held against the rules instead: the schema of the Compose
// specification (compose-spec.json, taken from compose-go 2.16.2, Apache-2.0), and what HushRyd asks of its containers.

interface Service {
  image?: string;
  build?: { context: string; dockerfile: string; target: string; args?: Record<string, string> };
  command?: string[];
  environment?: Record<string, string | number>;
  env_file?: string[];
  ports?: string[];
  volumes?: string[];
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
  read_only?: boolean;
  init?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  stop_grace_period?: string;
}

interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
}

const rootDir = join(import.meta.dirname, '../../../..');
const read = (name: string): string => readFileSync(join(rootDir, name), 'utf8');
const readCompose = (): Compose => parse(read('docker-compose.yml'), { merge: true }) as Compose;
const specification = JSON.parse(readFileSync(join(import.meta.dirname, 'compose-spec.json'), 'utf8')) as object;
const dockerfile = read('infra/docker/Dockerfile');

// biome-ignore lint/suspicious/noTemplateCurlyInString: Compose fills it in
const bindAddress = '${BIND_ADDRESS:-127.0.0.1}';

const compose = readCompose();
const services = Object.entries(compose.services);
const ours = services.filter(([, service]) => service.build);
/** Lines of one build stage of the Dockerfile. */
const stage = (name: string): string =>
  new RegExp(`^FROM \\S+ AS ${name}\\n([\\s\\S]*?)(?=^FROM |$(?![\\s\\S]))`, 'm').exec(dockerfile)?.[1] ?? '';

t.test('it keeps to the Compose specification, and the check sees what does not', async (t) => {
  const isValid = (value: unknown): boolean => Schema.Check(specification, value);

  t.ok(isValid(compose), JSON.stringify(Schema.Errors(specification, compose)));
  const unknownKey = readCompose();
  Object.assign(unknownKey.services.api ?? {}, { portz: ['5000:5000'] });
  t.notOk(isValid(unknownKey), 'a misspelt key');
  const badCondition = readCompose();
  Object.assign(badCondition.services.api ?? {}, { depends_on: { redis: { condition: 'started' } } });
  t.notOk(isValid(badCondition), 'an unknown condition');
});

t.test('the stores are those that were promised', async (t) => {
  const { redis, mongodb } = compose.services;

  t.match(redis, { image: 'redis:7-alpine', ports: [`${bindAddress}:6379:6379`] });
  t.match(redis?.command?.join(' '), /^redis-server --appendonly yes .*--save {2}--maxmemory-policy noeviction/);
  t.match(mongodb, { image: 'mongo:7', ports: [`${bindAddress}:27017:27017`] });
  t.match(
    String(mongodb?.environment?.MONGO_INITDB_ROOT_USERNAME),
    /^\$\{MONGODB_ROOT_USERNAME:\?/,
    'from the environment',
  );
  t.match(
    String(mongodb?.environment?.MONGO_INITDB_ROOT_PASSWORD),
    /^\$\{MONGODB_ROOT_PASSWORD:\?/,
    'from the environment',
  );
  const startMember = read('infra/docker/mongodb/start-member.sh');
  t.match(startMember, /--replSet hushryd --keyFile "\$key"/);
  t.match(startMember, /\/dev\/urandom/, 'the key file is made, not kept in the repository');
});

t.test('everything starts after what it needs is healthy or done', async (t) => {
  const hasHealth = (service: Service): boolean =>
    service.healthcheck !== undefined ||
    (service.build !== undefined && stage(service.build.target).includes('HEALTHCHECK'));

  for (const [name, service] of services) {
    for (const [needed, { condition }] of Object.entries(service.depends_on ?? {})) {
      const target = compose.services[needed];
      t.ok(target, `${name} needs ${needed}, which exists`);
      t.match(condition, /^service_(?:healthy|completed_successfully)$/, `${name} waits for ${needed}`);
      if (condition === 'service_healthy') t.ok(target && hasHealth(target), `${needed} tells its health`);
    }
  }
  t.same(startOrder(), [
    'redis',
    'mongodb',
    'mongodb-replica-set',
    'collections',
    'worker',
    'api',
    'realtime',
    'front-door',
    'console',
  ]);
});

t.test('our containers are without root, without rights, and end in peace', async (t) => {
  for (const target of ['service', 'console']) {
    t.match([...stage(target).matchAll(/^USER (\S+)$/gm)].at(-1)?.[1], /^(?:node|nginx)$/, `${target} is not root`);
    t.match(stage(target), /^HEALTHCHECK /m, `${target} tells its health`);
  }
  t.match(stage('service'), /^ENTRYPOINT \["\/usr\/bin\/tini", "--"\]$/m, 'tini is process 1');
  t.match(stage('service'), /apt-get install .*tini/s);

  for (const [name, service] of ours) {
    t.same(service.cap_drop, ['ALL'], `${name} has no capabilities`);
    t.same(service.security_opt, ['no-new-privileges:true'], name);
    if (service.build?.target !== 'service') t.ok(service.init, `${name} has an init process`);
    else {
      t.ok(service.read_only, `${name} cannot write to its image`);
      t.ok(Number.parseInt(service.stop_grace_period ?? '0', 10) > 25, `${name} has time for its own 25 s`);
    }
  }
});

t.test('only front doors are published, and only on this machine', async (t) => {
  for (const [name, service] of services) {
    for (const port of service.ports ?? []) t.ok(port.startsWith(`${bindAddress}:`), `${name}: ${port}`);
  }
  const published = services.flatMap(([, { ports = [] }]) => ports.map((port) => Number(port.split(':').at(-1))));
  t.same(published, [6379, 27017, 5000, 5001, 8080, 5002]);
});

t.test('volumes are declared, and what is mounted from here exists and is read-only', async (t) => {
  const mounts = services.flatMap(([, { volumes = [] }]) => volumes);
  const named = mounts.filter((mount) => !mount.startsWith('.')).map((mount) => mount.split(':')[0]);

  t.same([...new Set(named)].sort(), Object.keys(compose.volumes).sort());
  for (const mount of mounts.filter((text) => text.startsWith('.'))) {
    const [source = '', , mode] = mount.split(':');
    t.ok(existsSync(join(rootDir, source)), `${source} exists`);
    t.equal(mode, 'ro', `${source} is read-only`);
  }
});

t.test('services get only variables that a schema knows', async (t) => {
  const known = new Set(declaredVariables(rootDir).map(({ name }) => name));
  const extra = new Set(['HEALTH_URL', 'MONGODB_ROOT_USERNAME', 'MONGODB_ROOT_PASSWORD']);

  for (const [name, { build, environment = {} }] of ours) {
    if (build?.target !== 'service') continue;
    const unknown = Object.keys(environment).filter((variable) => !known.has(variable) && !extra.has(variable));
    t.same(unknown, [], name);
    t.ok(existsSync(join(rootDir, 'services', build.args?.SERVICE ?? '')), `${name} is built from a service`);
  }
});

t.test('keys of private fields are made, asked for, and given to those who read them', async (t) => {
  const names = ['FIELD_KEYS', 'FIELD_KEY_CURRENT', 'BLIND_INDEX_KEY'];
  const given = (service: string) => names.map((name) => String(compose.services[service]?.environment?.[name]));
  for (const service of ['collections', 'worker', 'api']) {
    t.same(
      given(service),
      names.map((name) => `\${${name}:?run node infra/docker/make-env.mjs first}`),
      service,
    );
  }
  t.same(given('realtime'), ['', '', ''], 'its env_file has them, so they are taken away');

  const copy = t.testdir({
    infra: { docker: { 'make-env.mjs': read('infra/docker/make-env.mjs') } },
    '.env.example': read('.env.example'),
  });
  execFileSync(process.execPath, [join(copy, 'infra/docker/make-env.mjs')]);
  const env = parseEnv(readFileSync(join(copy, '.env'), 'utf8')) as Parameters<typeof toFieldKeys>[0];
  t.equal(toFieldKeys(env).current, 'docker', 'what is made is what the services take');
});

t.test('the image copies files that exist, by scripts that parse', async (t) => {
  const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, list = '']) => list.split(' '));
  t.ok(sources.length >= 5);
  for (const source of sources) t.ok(existsSync(join(rootDir, source)), source);

  const scripts = readdirSync(join(rootDir, 'infra/docker'), { recursive: true, encoding: 'utf8' });
  for (const script of scripts.filter((name) => name.endsWith('.sh'))) {
    t.doesNotThrow(() => execFileSync('bash', ['-n', join(rootDir, 'infra/docker', script)]), script);
  }
});

t.test('a realtime node is given the same arguments of Node.js here as by npm start', async (t) => {
  const args = ['node', ...realtimeNodeArgs];
  t.strictSame(compose.services.realtime?.command, [...args, '/service/dist/main.js']);
  const { scripts } = JSON.parse(read('services/realtime/package.json')) as { scripts: Record<string, string> };
  t.equal(scripts.start, [...args, 'dist/main.js'].join(' '));
});

/** Order in which the services can start; throws on a circle. */
function startOrder(): string[] {
  const order: string[] = [];
  const visit = (name: string, above: readonly string[]): void => {
    if (above.includes(name)) throw new Error(`circle: ${[...above, name].join(' → ')}`);
    for (const needed of Object.keys(compose.services[name]?.depends_on ?? {})) visit(needed, [...above, name]);
    if (!order.includes(name)) order.push(name);
  };
  for (const [name] of services) visit(name, []);
  return order;
}
