import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/** One file, ready to be sent. */
export interface StaticFile {
  readonly contentType: string;
  readonly cacheControl: string;
  readonly etag: string;
  readonly body: Buffer;
  readonly gzip?: Buffer;
  readonly brotli?: Buffer;
}

export type Encoding = 'br' | 'gzip';

// Browsers refuse a module script that is not JavaScript by type, and guess for nothing else either (nosniff).
const contentTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.geojson': 'application/geo+json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.mp3': 'audio/mpeg',
};
const binaryTypes = /^(image\/(png|x-icon)|font\/|audio\/)/;
const leastCompressedBytes = 1024;
const compressGzip = promisify(gzip);
const compressBrotli = promisify(brotliCompress);

/**
 * Read a built web app into memory, by path from its root (`/index.html`). Names of files below `assets/` carry a hash of their content,
 * so browsers may keep them for ever; everything else is asked for each time.
 *
 * @returns undefined where there is no such folder. Cost: the size of the app, some megabytes; nothing is compressed yet
 */
export async function readStaticFiles(folder: string): Promise<Map<string, StaticFile> | undefined> {
  const names = await listFiles(folder);
  if (!names) return undefined;
  const files = await Promise.all(
    names.map(async (name): Promise<[string, StaticFile]> => {
      const isHashed = name.startsWith('assets/');
      const cacheControl = isHashed ? 'public, max-age=31536000, immutable' : 'no-cache';
      const contentType = contentTypes[extname(name).toLowerCase()] ?? 'application/octet-stream';
      return [`/${name}`, toStaticFile({ body: await readFile(join(folder, name)), contentType, cacheControl })];
    }),
  );
  return new Map(files);
}

export function toStaticFile(input: { body: Buffer; contentType: string; cacheControl: string }): StaticFile {
  const etag = `"${createHash('sha256').update(input.body).digest('base64url').slice(0, 22)}"`;
  return { ...input, etag };
}

/** The file with compressed copies where these are worth it. Cost: about 0.2 s for the largest script; once a file. */
export async function compress(file: StaticFile): Promise<StaticFile> {
  if (file.body.length < leastCompressedBytes || binaryTypes.test(file.contentType)) return file;
  const quality = { [constants.BROTLI_PARAM_QUALITY]: 5 };
  const [gzipped, brotli] = await Promise.all([
    compressGzip(file.body, { level: 6 }),
    compressBrotli(file.body, { params: quality }),
  ]);
  return { ...file, gzip: gzipped, brotli };
}

/** The best encoding that both sides know. */
export function chooseEncoding(file: StaticFile, acceptEncoding: string | undefined): Encoding | undefined {
  const accepted = new Set(
    (acceptEncoding ?? '')
      .split(',')
      .filter((entry) => !/;\s*q=0(\.0*)?\s*$/.test(entry))
      .map((entry) => entry.split(';')[0]?.trim()),
  );
  if (file.brotli && accepted.has('br')) return 'br';
  if (file.gzip && accepted.has('gzip')) return 'gzip';
  return undefined;
}

async function listFiles(folder: string): Promise<string[] | undefined> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(folder.length + 1)
          .replaceAll('\\', '/'),
      );
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
