import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { MessageStore } from './message-store.ts';

const pageFiles: Readonly<Record<string, [file: string, contentType: string]>> = {
  '/': ['inbox.html', 'text/html; charset=utf-8'],
  '/inbox.css': ['inbox.css', 'text/css; charset=utf-8'],
  '/inbox.js': ['inbox.js', 'text/javascript; charset=utf-8'],
};

/** Mails are shown in frames without any rights, so their own pictures and styles are all that needs allowing. */
const securityHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: https:",
    "connect-src 'self'",
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** More open pages than anybody looks at; the rest are refused. */
const maxWatchers = 50;
const maxWaitingBytes = 64 * 1024 * 1024;

/** @returns false where the path is not one of its own */
export type Inbox = (exchange: { request: IncomingMessage; response: ServerResponse; url: URL }) => boolean;

/** The inbox: its page, and the stream of messages that the page listens to. */
export function createInbox(messages: MessageStore): Inbox {
  let watchers = 0;

  /** Everything that is kept, then every change. */
  function stream(response: ServerResponse): void {
    if (watchers >= maxWatchers) return void response.writeHead(503).end();
    watchers += 1;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const tell = (event: string, data: unknown) => {
      response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
      // A page that does not read is cut off; it comes back by itself and gets everything anew.
      if (response.writableLength > maxWaitingBytes) response.destroy();
    };
    tell('all', messages.list());
    const stop = messages.watch((message) => {
      if (message === undefined) tell('all', []);
      else tell('message', message);
    });
    response.once('close', () => {
      watchers -= 1;
      stop();
    });
  }

  return ({ request, response, url }) => {
    if (request.method !== 'GET') return false;
    if (url.pathname === '/sandbox/events') {
      stream(response);
      return true;
    }
    const page = Object.hasOwn(pageFiles, url.pathname) ? pageFiles[url.pathname] : undefined;
    if (page === undefined) return false;
    const [file, contentType] = page;
    response.writeHead(200, { ...securityHeaders, 'content-type': contentType }).end(readPageFile(file));
    return true;
  };
}

/** The page is not compiled, so from `dist` it is read in `src`. */
function readPageFile(file: string): Buffer {
  const source = new URL(`./page/${file}`, import.meta.url);
  source.pathname = source.pathname.replace(/\/dist\/(?!.*\/dist\/)/, '/src/');
  return readFileSync(source);
}
