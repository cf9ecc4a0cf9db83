import type { IncomingMessage, ServerResponse } from 'node:http';
import { RequestError } from './http-exchange.ts';
import { chooseEncoding, compress, type StaticFile } from './static-files.ts';

/** Files by path. A file is compressed when it is first asked for, and kept so. */
export interface StaticSite {
  file(path: string): Promise<StaticFile> | undefined;
}

export function createStaticSite(files: ReadonlyMap<string, StaticFile>): StaticSite {
  const compressed = new Map<string, Promise<StaticFile>>();
  return {
    file(path) {
      const file = files.get(path);
      if (!file) return undefined;
      const ready = compressed.get(path) ?? compress(file);
      compressed.set(path, ready);
      return ready;
    },
  };
}

/** A path without an ending is a view inside the app: its page answers. @throws RequestError 404 */
export async function sendFile(input: {
  site: StaticSite;
  path: string;
  request: IncomingMessage;
  response: ServerResponse;
}): Promise<void> {
  const { site, path, request, response } = input;
  const isView = !/\.[a-z0-9]+$/i.test(path);
  const file = await (site.file(path) ?? (isView ? site.file('/index.html') : undefined));
  if (!file) throw new RequestError(404, 'There is no such page.');

  const encoding = chooseEncoding(file, request.headers['accept-encoding']);
  // Each encoding is a representation of its own.
  const etag = encoding ? `${file.etag.slice(0, -1)}-${encoding}"` : file.etag;
  response.setHeader('cache-control', file.cacheControl);
  response.setHeader('vary', 'accept-encoding');
  response.setHeader('etag', etag);
  if (request.headers['if-none-match']?.split(/,\s*/).includes(etag)) {
    response.writeHead(304).end();
    return;
  }
  const body = bodyIn(file, encoding);
  response.writeHead(200, {
    'content-type': file.contentType,
    'content-length': body.length,
    ...(encoding && { 'content-encoding': encoding }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function bodyIn(file: StaticFile, encoding: 'br' | 'gzip' | undefined): Buffer {
  if (encoding === 'br') return file.brotli ?? file.body;
  return (encoding === 'gzip' && file.gzip) || file.body;
}
