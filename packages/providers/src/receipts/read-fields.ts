import { at, readJson, textAt } from '../http/read-json.ts';
import { headerOf, type WebhookRequest } from './receipt.ts';

/** An address as an object; undefined where it is none. (URL.parse is younger than the oldest Node this runs on.) */
export function readUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** The fields of a request in any form that vendors use: a query (GET), a form, several parts, or flat JSON. The first of a name counts. */
export function readFields(request: WebhookRequest): URLSearchParams {
  if (request.method === 'GET') return readUrl(request.url)?.searchParams ?? new URLSearchParams();
  const text = request.rawBody.toString('utf8');
  const contentType = headerOf(request, 'content-type') ?? '';
  if (contentType.startsWith('application/json')) return readFlatJson(text);
  const boundary = /^multipart\/form-data\b.*boundary="?([^";]+)/i.exec(contentType)?.[1];
  return boundary === undefined ? new URLSearchParams(text) : readParts(text, boundary);
}

function readFlatJson(text: string): URLSearchParams {
  const json = at(readJson(text));
  const fields = new URLSearchParams();
  if (typeof json !== 'object' || json === null) return fields;
  for (const name of Object.keys(json)) {
    const value = textAt(json, name);
    if (value !== undefined) fields.append(name, value);
  }
  return fields;
}

function readParts(text: string, boundary: string): URLSearchParams {
  const fields = new URLSearchParams();
  for (const part of text.split(`--${boundary}`)) {
    const end = part.indexOf('\r\n\r\n');
    const name = /name="([^"]*)"/i.exec(part.slice(0, Math.max(0, end)))?.[1];
    if (name !== undefined) fields.append(name, part.slice(end + 4).replace(/\r\n$/, ''));
  }
  return fields;
}
