import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Reply } from './play-call.ts';

/** Answered with its status and sentence. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const maxBodyBytes = 262_144;

/** @throws RequestError where it is larger than 256 KiB */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new RequestError(413, 'The body is too large.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** @throws RequestError where it is no JSON object (also by its content type: a form of another site cannot send that) */
export async function readJsonBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
    throw new RequestError(415, 'Send application/json.');
  }
  const text = await readBody(request);
  try {
    const value: unknown = JSON.parse(text === '' ? '{}' : text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below, as for any other body that is no object.
  }
  throw new RequestError(400, 'The body is not a JSON object.');
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, {
    'content-type': `application/${status >= 400 ? 'problem+' : ''}json; charset=utf-8`,
    'cache-control': 'no-store',
  });
  response.end(JSON.stringify(body));
}

/** Treats the connection as the reply wants it. */
export function sendReply(response: ServerResponse, reply: Reply): void {
  switch (reply.kind) {
    case 'hang':
      return;
    case 'reset':
      return void response.socket?.resetAndDestroy();
    case 'answer':
      response.writeHead(reply.answer.status, reply.answer.headers ?? {});
      return void response.end(reply.answer.body);
    case 'drip':
      drip(response, reply.answer, reply.everyMs);
  }
}

function drip(response: ServerResponse, answer: Extract<Reply, { kind: 'drip' }>['answer'], everyMs: number): void {
  // A body that is empty would be over at once.
  const bytes = Buffer.from(answer.body === '' ? ' '.repeat(64) : answer.body);
  response.writeHead(answer.status, answer.headers ?? {});
  let sent = 0;
  const timer = setInterval(() => {
    response.write(bytes.subarray(sent, sent + 1));
    sent += 1;
    if (sent < bytes.length) return;
    clearInterval(timer);
    response.end();
  }, everyMs);
  response.once('close', () => clearInterval(timer));
}
