import { readFileSync } from 'node:fs';
import type { ApiServer } from '../api-server.ts';

const files = {
  '/share.html': ['share.html', 'text/html; charset=utf-8'],
  '/share/share.css': ['share.css', 'text/css; charset=utf-8'],
  '/share/share.js': ['share.js', 'text/javascript; charset=utf-8'],
  '/share/trail-view.js': ['trail-view.js', 'text/javascript; charset=utf-8'],
  '/share/words.js': ['words.js', 'text/javascript; charset=utf-8'],
} as const;

/** Nothing but our own files runs, and nothing but our own api hears; the icon is in the page. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * The page of a contact's link: plain files that ask the api they came from. Here and not beside the console, so that it needs no second
 * origin, and none of the console's code, on the phone of somebody who is afraid.
 */
export function addSharePageRoutes(app: ApiServer): void {
  for (const [url, [file, contentType]] of Object.entries(files)) {
    const body = readPageFile(file);
    const produces = [contentType.slice(0, contentType.indexOf(';'))];
    app.get(
      url,
      { config: { roles: 'anyone', produces, ownDeadline: true }, schema: { hide: true } },
      (_request, reply) => reply.header('content-security-policy', contentSecurityPolicy).type(contentType).send(body),
    );
  }
}

/** The page is not compiled, so from `dist` it is read in `src`. */
function readPageFile(file: string): Buffer {
  const source = new URL(`./page/${file}`, import.meta.url);
  source.pathname = source.pathname.replace(/\/dist\/(?!.*\/dist\/)/, '/src/');
  return readFileSync(source);
}
