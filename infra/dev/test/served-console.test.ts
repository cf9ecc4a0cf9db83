import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { freePort } from '@hushryd/platform/engines/ports';
import t, { type Test } from 'tap';
import { openDoor } from '../src/runner/open-door.ts';

// What browsers get of the built console: its settings, in both ways it is served, and how much of it they wait for.

const rootDir = fileURLToPath(new URL('../../../', import.meta.url));
const fleet = { kind: 'city', vehicles: 1, seed: 1, intervalMs: 2000 } as const;
const styleUrl = 'https://maps.example/style.json?key=1';

/** What the console promises: its first load is so small, compressed with gzip; the map library loads beside it. */
const firstLoadKilobytes = 250;

async function serve(t: Test, mapStyleUrl?: string) {
  const folder = await mkdtemp(join(tmpdir(), 'hushryd-served-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const console = await freePort();
  const ports = {
    api: 1,
    realtime: 2,
    console,
    internal: 0,
    apiMetrics: 0,
    realtimeMetrics: 0,
    workerMetrics: 0,
    sandbox: 0,
  };
  const data = { root: folder, keysDir: join(folder, 'keys'), logsDir: folder, release: () => undefined };
  const door = await openDoor({
    ...{ data, ports, fleet, mapStyleUrl, rootDir },
    fleetSecret: 'secret',
    tell: () => undefined,
  });
  t.teardown(() => door.close());
  return (path: string) => fetch(`http://127.0.0.1:${console}${path}`);
}

t.test('npm start tells the console its base map, and its policy lets that in', async (t) => {
  const own = await serve(t);
  const chosen = await serve(t, styleUrl);

  const config = await (await own('/config.json')).json();
  t.match(config, { apiUrl: 'http://127.0.0.1:1', mapStyleUrl: null, reportingIntervalMs: 2000 });
  const reply = await chosen('/config.json');
  t.match(await reply.json(), { mapStyleUrl: styleUrl });
  t.match(reply.headers.get('content-security-policy'), /connect-src [^;]* https:\/\/maps\.example/);
});

t.test('the container tells it the same settings, from variables that Compose and the image set', async (t) => {
  const read = (name: string) => readFile(join(rootDir, name), 'utf8');
  const [template, dockerfile, compose] = await Promise.all([
    read('infra/docker/console/default.conf.template'),
    read('infra/docker/Dockerfile'),
    read('docker-compose.yml'),
  ]);
  const written = /location = \/config\.json \{[^}]*?return 200 '(.*)';\n/.exec(template)?.[1] ?? '';
  const variables = [...written.matchAll(/\$\{([A-Z_]+)\}/g)].map(([, name = '']) => name);
  const fill = (values: Record<string, string>) =>
    JSON.parse(written.replace(/\$\{([A-Z_]+)\}/g, (_, name: string) => values[name] ?? '')) as object;

  t.match(fill({ MAP_STYLE_URL: styleUrl, REPORTING_INTERVAL_MS: '4000' }), {
    mapStyleUrl: styleUrl,
    reportingIntervalMs: 4000,
  });
  const { streetsUrl: _, ...served } = (await (await (await serve(t))('/config.json')).json()) as { streetsUrl: null };
  t.same(Object.keys(fill({ REPORTING_INTERVAL_MS: '1' })).sort(), Object.keys(served).sort());
  for (const name of variables) {
    // nginx leaves a variable that is not set at all as it stands, which is no JSON.
    t.match(dockerfile, new RegExp(`^ENV PORT=.*\\b${name}=`, 'm'), `the image sets ${name}`);
    t.match(compose, `${name}: \${CONSOLE_${name}:-`, `compose sets ${name}`);
  }
});

t.test(`the first load is at most ${firstLoadKilobytes} KB compressed, without the map library`, async (t) => {
  const get = await serve(t);
  const loaded = new Map<string, number>();
  const beside = new Set<string>();

  /** A file, and whatever it cannot run without; of what it may load later, the room that opens first. */
  async function load(path: string): Promise<void> {
    if (/\/maplibre-gl-[^/]+\.js$/.test(path)) beside.add(path);
    if (loaded.has(path) || beside.has(path)) return;
    const text = await (await get(path)).text();
    loaded.set(path, gzipSync(text).length / 1000);
    const needed = text.matchAll(/(?:import|from)\s*["']\.\/([\w.-]+\.js)["']/g);
    const room = text.matchAll(/["'](?:\.\/|assets\/)(live-map-room-[\w.-]+\.(?:js|css))["']/g);
    for (const [, name] of [...needed, ...room]) await load(`/assets/${name}`);
  }
  const page = await (await get('/')).text();
  for (const [, path = ''] of page.matchAll(/(?:src|href)="\.(\/assets\/[^"]+)"/g)) await load(path);

  for (const [path, kilobytes] of loaded) t.comment(`${kilobytes.toFixed(1)} KB ${path}`);
  const names = [...loaded.keys()].map((path) => path.replace(/-[\w-]{8}(?=\.\w+$)/, ''));
  for (const part of ['index.js', 'index.css', 'live-map-room.js', 'live-map-room.css']) {
    t.ok(names.includes(`/assets/${part}`), `${part} is counted`);
  }
  t.equal(beside.size, 1, 'the map library is a chunk of its own');
  const sum = [...loaded.values()].reduce((total, kilobytes) => total + kilobytes, 0);
  t.ok(sum <= firstLoadKilobytes, `${sum.toFixed(1)} KB`);
});
