import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { declaredVariables } from './declared-variables.ts';

const rootDir = join(import.meta.dirname, '../../../..');
const read = (name: string): string => readFileSync(join(rootDir, name), 'utf8');

/** `NAME=value` and `# NAME=value` lines. */
function entries(text: string): Map<string, string> {
  return new Map(
    [...text.matchAll(/^(?:# )?([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}

const declared = declaredVariables(rootDir);
const example = entries(read('.env.example'));
const production = entries(read('.env.production.example'));
// Read by Compose, by tests, or by nobody yet.
const composeVariables = [...read('docker-compose.yml').matchAll(/\$\{([A-Z_]+)/g)].map(([, name = '']) => name);
/** Each service has one of its own. */
const ports = new Set(['PORT', 'METRICS_PORT']);
const testVariables = ['CHROMIUM_PATH', 'MONGODB_REPLICA_SET_URL'];
const unread = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'API_KEY_SALT'];

t.test('.env.example explains every variable that a schema declares, and nothing else', async (t) => {
  t.ok(declared.length > 40, `read ${declared.length} declarations`);
  const known = new Set([...declared.map(({ name }) => name), ...composeVariables, ...testVariables]);

  const missing = declared.filter(({ name }) => !example.has(name)).map(({ name, file }) => `${name} (${file})`);
  t.same(missing, [], 'declared, but not explained');
  t.same(
    composeVariables.filter((name) => !example.has(name)),
    [],
    'used by docker-compose.yml, but not explained',
  );
  t.same(
    [...example.keys()].filter((name) => !known.has(name)),
    [],
    'explained, but read by nobody',
  );
});

t.test('the defaults it shows are those of the schemas', async (t) => {
  const wrong = declared.filter(
    ({ name, defaultValue }) => defaultValue !== undefined && !ports.has(name) && example.get(name) !== defaultValue,
  );

  t.same(
    wrong.map(({ name, defaultValue }) => `${name}: ${example.get(name)} instead of ${defaultValue}`),
    [],
  );
});

t.test('the words above a port name the default of each service', async (t) => {
  const lines = read('.env.example').split('\n');
  const wordsAbove = (name: string): string =>
    lines[lines.findIndex((line) => line.startsWith(`# ${name}=`)) - 1] ?? '';
  const defaults = declared.flatMap(({ name, file, defaultValue }) => {
    const [, service] = /services\/(\w+)\/src\/config\.ts$/.exec(file) ?? [];
    return ports.has(name) && service !== undefined ? [{ name, words: `${service} ${defaultValue}` }] : [];
  });

  t.equal(defaults.length, 5, 'api and realtime have both, the worker one');
  for (const { name, words } of defaults) t.match(wordsAbove(name), words);
});

t.test('every variable has words above it', async (t) => {
  const lines = read('.env.example').split('\n');
  const isEntry = (line: string | undefined): boolean => /^(?:# )?[A-Z][A-Z0-9_]*=/.test(line ?? '');
  const bare = lines.filter((line, at) => isEntry(line) && !isEntry(lines[at - 1]) && !lines[at - 1]?.startsWith('# '));

  t.same(bare, []);
});

t.test('the production template holds what operators were promised', async (t) => {
  const promised = [
    ['NODE_ENV', 'production'],
    ['PORT', '5000'],
    ['MONGODB_URL', ''],
    ['MONGODB_POOL_SIZE', '100'],
    ['REDIS_URL', ''],
    ['REDIS_CLUSTER_MODE', 'false'],
    ['TWILIO_ACCOUNT_SID', ''],
    ['TWILIO_AUTH_TOKEN', ''],
    ['SENDGRID_API_KEY', ''],
    ['WEBHOOK_PATH_KEY', ''],
    ['WEBHOOK_BASE_URL', ''],
    ['SOS_DESK_URL', ''],
    ['AWS_ACCESS_KEY_ID', ''],
    ['AWS_SECRET_ACCESS_KEY', ''],
    ['TOKEN_PUBLIC_KEYS', ''],
    ['SERVICE_TOKEN', ''],
    ['API_KEY_SALT', ''],
  ] as const;

  for (const [name, value] of promised) t.equal(production.get(name), value, name);
});

t.test('it names nothing that no process knows, and of each company all that it has to have', async (t) => {
  const known = new Set([...declared.map(({ name }) => name), ...unread]);
  t.same(
    [...production.keys()].filter((name) => !known.has(name)),
    [],
  );

  const settings = read('packages/providers/src/provider-settings.ts');
  const groups = [...settings.matchAll(/group\('\w+', \[([^\]]+)\]/g)].flatMap(([, list = '']) => list.match(/\w+/g));
  t.ok(groups.length > 15, `read ${groups.length} names`);
  t.same(
    groups.filter((name) => name !== null && !production.has(name)),
    [],
  );
});

t.test('no template holds a secret, nor anything that looks like one', async (t) => {
  for (const [file, values] of Object.entries({ '.env.example': example, '.env.production.example': production })) {
    const secrets = [...values].filter(([name]) => /PASSWORD|SECRET|TOKEN$|_KEYS?$|SALT|SID$|KEY_ID/.test(name));
    t.ok(secrets.length >= 3);
    t.same(
      secrets.filter(([, value]) => value !== ''),
      [],
      `${file}: secrets are empty`,
    );
    t.notMatch(
      read(file),
      /-----BEGIN|[A-Za-z0-9+/]{32,}|:[^:@/\s]*[a-z0-9][^:@/\s]*@/,
      `${file}: nothing that looks real`,
    );
  }
});
