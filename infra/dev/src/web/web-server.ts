import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { problem, RequestError, readJson, sendJson } from './http-exchange.ts';
import { type StaticSite, sendFile } from './static-site.ts';

interface Reply {
  status: number;
  body: unknown;
}

export type Handler = (request: IncomingMessage, body: unknown) => Reply | Promise<Reply>;

export interface WebServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serve the built console and the development pages on 127.0.0.1.
 *
 * Requests must name this very server (Host, and Origin where a browser sends one): pages of other sites can reach 127.0.0.1 through a name
 * of their own, and must get nothing here.
 *
 * @param input.posts JSON in, JSON out, by path
 * @throws the listen error (EADDRINUSE)
 */
export async function startWebServer(input: {
  port: number;
  headers: Readonly<Record<string, string>>;
  site: StaticSite;
  posts: Readonly<Record<string, Handler>>;
}): Promise<WebServer> {
  let port = input.port;
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(input.headers)) response.setHeader(name, value);
    answer({ ...input, port, request, response }).catch((error: unknown) => answerError(response, error));
  });
  server.requestTimeout = 10_000;
  port = await listen(server, input.port);
  return { port, close: () => closeServer(server) };
}

async function answer(input: {
  port: number;
  site: StaticSite;
  posts: Readonly<Record<string, Handler>>;
  request: IncomingMessage;
  response: ServerResponse;
}): Promise<void> {
  const { request, response, port } = input;
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  if (!hosts.includes(request.headers.host ?? '')) throw new RequestError(421, 'This server is 127.0.0.1 only.');
  const { origin } = request.headers;
  if (origin !== undefined && !hosts.some((host) => origin === `http://${host}`)) {
    throw new RequestError(403, 'Other web pages may not ask here.');
  }

  const path = new URL(request.url ?? '/', 'http://localhost').pathname;
  const post = Object.hasOwn(input.posts, path) ? input.posts[path] : undefined;
  if (post) {
    if (request.method !== 'POST') throw new RequestError(405, 'Use POST here.');
    const reply = await post(request, await readJson(request));
    return sendJson(response, reply.status, reply.body);
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') throw new RequestError(405, 'Use GET here.');
  await sendFile({ site: input.site, path, request, response });
}

function answerError(response: ServerResponse, error: unknown): void {
  const status = error instanceof RequestError ? error.status : 500;
  if (status === 500) console.error(error);
  if (response.headersSent) return void response.destroy();
  sendJson(response, status, problem(status, status === 500 ? 'Something failed here.' : (error as Error).message));
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    // A browser keeps its connections open; nobody here waits for it.
    server.closeAllConnections();
  });
}
