import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestScope } from '@hushryd/platform/testing/engines';

export interface Answer {
  status: number;
  body: unknown;
}

/** An internal listener that answers as the test says, or not at all. */
export async function listen(t: TestScope, answer: (path: string, body: unknown) => Answer | undefined) {
  const asked: { path: string; body: unknown; authorization: string | undefined; requestId: string }[] = [];
  const server = createServer(async (request, response) => {
    const body = await readJson(request);
    const path = request.url ?? '';
    const requestId = String(request.headers['x-request-id']);
    asked.push({ path, body, authorization: request.headers.authorization, requestId });
    const reply = answer(path, body);
    if (reply === undefined) return;
    response.writeHead(reply.status, { 'content-type': 'application/json' }).end(JSON.stringify(reply.body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? undefined : JSON.parse(text);
}
