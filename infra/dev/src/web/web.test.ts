import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import t from 'tap';
import { securityHeaders } from './security-headers.ts';
import { readStaticFiles, toStaticFile } from './static-files.ts';
import { createStaticSite } from './static-site.ts';
import { startWebServer, type WebServer } from './web-server.ts';

const script = `console.log(${JSON.stringify('x'.repeat(4000))})`;
let server: WebServer;

t.before(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hushryd-web-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html'), '<!doctype html>the console');
  await writeFile(join(folder, 'assets/worker-1a.mjs'), script);
  const files = await readStaticFiles(folder);
  files?.set(
    '/config.json',
    toStaticFile({ body: Buffer.from('{}'), contentType: 'application/json', cacheControl: 'no-store' }),
  );
  server = await startWebServer({
    port: 0,
    headers: securityHeaders({ apiUrl: 'http://127.0.0.1:1', realtimeUrl: 'ws://127.0.0.1:2' }),
    site: createStaticSite(files ?? new Map()),
    posts: { '/dev/echo': (_request, body) => ({ status: 200, body }) },
  });
  t.teardown(() => server.close());
});

async function ask(path: string, options: { method?: string; headers?: Record<string, string>; body?: string } = {}) {
  const { body, ...rest } = options;
  const message = request({ host: '127.0.0.1', port: server.port, path, agent: false, ...rest });
  message.end(body);
  const [response] = (await once(message, 'response')) as [import('node:http').IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
}

t.test('the page, its views and its scripts come with the right types and lives', async (t) => {
  const page = await ask('/');
  const view = await ask('/trips/t-1?q=2');
  const worker = await ask('/assets/worker-1a.mjs');

  t.match(page.headers, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' });
  t.same(view.body, page.body, 'a view inside the app is the page');
  t.match(worker.headers, { 'content-type': 'text/javascript; charset=utf-8', 'cache-control': /immutable/ });
  t.equal((await ask('/assets/none.js')).status, 404);
  t.equal((await ask('/../package.json')).status, 404);
  t.equal((await ask('/%2e%2e/package.json')).status, 404);
  t.equal((await ask('/', { method: 'PUT' })).status, 405);
});

t.test('what is large is compressed as the browser can read it, and not sent twice', async (t) => {
  const get = (accept: string, more = {}) =>
    ask('/assets/worker-1a.mjs', { headers: { 'accept-encoding': accept, ...more } });
  const [plain, zipped, brotli] = [await get('identity'), await get('gzip'), await get('gzip, deflate, br')];

  t.equal(plain.body.toString(), script);
  t.equal(gunzipSync(zipped.body).toString(), script);
  t.equal(brotliDecompressSync(brotli.body).toString(), script);
  t.equal(brotli.headers.vary, 'accept-encoding');
  t.equal((await get('br;q=0, gzip')).headers['content-encoding'], 'gzip');
  const again = await get('br', { 'if-none-match': brotli.headers.etag });
  t.match(again, { status: 304, body: Buffer.alloc(0) });
  t.equal(
    (await get('gzip', { 'if-none-match': brotli.headers.etag })).status,
    200,
    'another encoding is another representation',
  );
});

t.test('every answer carries the policy: scripts from here, data from here, the API and the sockets', async (t) => {
  for (const path of ['/', '/none.js', '/dev/echo']) {
    const { headers } = await ask(path);
    t.match(headers['content-security-policy'], /default-src 'none'; script-src 'self';/);
    t.match(
      headers['content-security-policy'],
      /connect-src 'self' blob: http:\/\/127\.0\.0\.1:1 ws:\/\/127\.0\.0\.1:2;/,
    );
    t.equal(headers['x-content-type-options'], 'nosniff');
  }
});

t.test('the policy lets in the base map that was chosen, and no other', async (t) => {
  const urls = { apiUrl: 'http://127.0.0.1:1', realtimeUrl: 'ws://127.0.0.1:2' };
  const policy = (mapStyleUrl?: string) => securityHeaders({ ...urls, mapStyleUrl })['content-security-policy'] ?? '';
  const sources = (text: string, name: string) => new RegExp(`${name} ([^;]*)`).exec(text)?.[1]?.split(' ').slice(2);
  const own = ['http://127.0.0.1:1', 'ws://127.0.0.1:2'];

  t.same(sources(policy(), 'connect-src'), own);
  t.same(sources(policy(), 'img-src'), ['blob:']);
  const tiles = policy('http://tiles.example:8080/{z}/{x}/{y}.png');
  t.same(sources(tiles, 'connect-src'), [...own, 'http://tiles.example:8080']);
  t.same(sources(tiles, 'img-src'), ['blob:', 'http://tiles.example:8080']);
  const style = policy('https://maps.example/style.json?key=1');
  t.same(sources(style, 'connect-src'), [...own, 'https://maps.example', 'https:'], 'a style names other hosts');
});

t.test('other sites’ pages and other names of 127.0.0.1 get nothing', async (t) => {
  const json = { 'content-type': 'application/json' };
  const post = (headers: Record<string, string>, body = '{"a":1}') =>
    ask('/dev/echo', { method: 'POST', headers, body });

  t.match(await post(json), { status: 200, body: Buffer.from('{"a":1}') });
  t.match(await post({ ...json, origin: `http://localhost:${server.port}` }), { status: 200 });
  t.match(await post({ ...json, origin: 'https://evil.example' }), { status: 403 });
  t.match(await post({ ...json, host: 'evil.example' }), { status: 421 });
  t.match(await post({ 'content-type': 'text/plain' }), { status: 415 }, 'what a form of another site could send');
  t.match(await post(json, '{'), { status: 400 });
  t.match(await post(json, JSON.stringify('x'.repeat(20_000))), { status: 413 });
  t.match(await ask('/dev/echo'), { status: 405 });
});

t.test('a folder that is not there is no site', async (t) => {
  t.equal(await readStaticFiles('/nowhere/at/all'), undefined);
});
