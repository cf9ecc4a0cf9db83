import type { IncomingMessage, ServerResponse } from 'node:http';

/** Answered with its status and sentence. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const maxBodyBytes = 16_384;

/** @throws RequestError when the body is larger than 16 KiB or not JSON (also by its content type: a form of another site cannot send that) */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? ''))
    throw new RequestError(415, 'Send application/json.');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new RequestError(413, 'The body is too large.');
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new RequestError(400, 'The body is not JSON.');
  }
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, {
    'content-type': `application/${status >= 400 ? 'problem+' : ''}json; charset=utf-8`,
    'cache-control': 'no-store',
  });
  response.end(JSON.stringify(body));
}

/** RFC 9457, without a type of its own. */
export function problem(status: number, title: string): { title: string; status: number } {
  return { title, status };
}
