import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from '@hushryd/platform/logging/logger';
import { answerControl } from './control-routes.ts';
import { vendorPaths } from './environment.ts';
import { RequestError, readBody, sendJson, sendReply } from './http-exchange.ts';
import { createInbox, type Inbox } from './inbox-routes.ts';
import type { MessageStore } from './message-store.ts';
import { type PlayDependencies, playCall } from './play-call.ts';
import type { Sandbox } from './sandbox.ts';
import type { GoogleTokens } from './vendors/google-tokens.ts';
import type { PlacedPlay } from './vendors/list-plays.ts';

export interface SandboxServer {
  readonly port: number;
  close(): Promise<void>;
}

interface ServerInput {
  readonly host: string;
  readonly port: number;
  readonly plays: readonly PlacedPlay[];
  readonly googleTokens: GoogleTokens;
  readonly messages: MessageStore;
  readonly dependencies: PlayDependencies;
  readonly log: Logger | undefined;
  readonly sandbox: () => Sandbox;
}

/**
 * One listener for the companies, the inbox and the control API.
 *
 * On a loopback address inbox and control answer only requests that name this very server (Host, and Origin where a browser sends one):
 * pages of other sites can reach 127.0.0.1 through a name of their own, and one-time codes are read here.
 *
 * @throws the listen error (EADDRINUSE)
 */
export async function startSandboxServer(input: ServerInput): Promise<SandboxServer> {
  const answerInbox = createInbox(input.messages);
  const server = createServer((request, response) => {
    answer({ ...input, answerInbox }, request, response).catch((error: unknown) =>
      answerError(response, error, input.log),
    );
  });
  // Calls that hang are meant to; whoever made them ends them.
  server.requestTimeout = 0;
  const port = await listen(server, input);
  return { port, close: () => closeServer(server) };
}

async function answer(
  input: ServerInput & { answerInbox: Inbox },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://sandbox');
  if (await answerVendor(input, request, response, url)) return;

  refuseStrangers(request, input.host);
  if (input.answerInbox({ request, response, url })) return;
  const control = await answerControl(input.sandbox(), request, url);
  if (control === undefined) throw new RequestError(404, 'There is nothing here.');
  if (control.status === 204) response.writeHead(204).end();
  else sendJson(response, control.status, control.body);
}

/** @returns false where the path is no company's */
async function answerVendor(
  { plays, googleTokens, dependencies, host, sandbox }: ServerInput,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<boolean> {
  const placed = plays.filter(({ basePath }) => url.pathname.startsWith(`${basePath}/`));
  const isTokenRequest = url.pathname === vendorPaths.googleTokens;
  if (placed.length === 0 && !isTokenRequest) return false;

  const body = await readBody(request);
  const { method = 'GET', headers } = request;
  const callBelow = (basePath: string) => ({ method, headers, body, path: url.pathname.slice(basePath.length) });
  if (isTokenRequest) {
    const audience = `http://${host}:${sandbox().port}${vendorPaths.googleTokens}`;
    sendReply(response, { kind: 'answer', answer: googleTokens.answer(callBelow(''), audience) });
    return true;
  }
  const found = placed.find(({ basePath, play }) => play.matches(callBelow(basePath)));
  if (found === undefined) throw new RequestError(404, 'This company knows no such call.');
  sendReply(response, await playCall(found.play, callBelow(found.basePath), dependencies));
  return true;
}

const loopback = /^(?:127\.\d+\.\d+\.\d+|localhost|\[?::1\]?)$/;

function refuseStrangers({ headers }: IncomingMessage, host: string): void {
  if (!loopback.test(host)) return;
  const nameOf = (authority: string) => authority.replace(/:\d+$/, '');
  if (!loopback.test(nameOf(headers.host ?? ''))) throw new RequestError(421, 'This server is for this machine only.');
  if (headers.origin !== undefined && headers.origin !== `http://${headers.host}`) {
    throw new RequestError(403, 'Other web pages may not ask here.');
  }
}

function answerError(response: ServerResponse, error: unknown, log: Logger | undefined): void {
  const status = error instanceof RequestError ? error.status : 500;
  if (status === 500) log?.error({ err: error }, 'a request of the sandbox failed');
  if (response.headersSent) return void response.destroy();
  const title = error instanceof RequestError ? error.message : 'Something failed here.';
  sendJson(response, status, { title, status });
}

function listen(server: Server, { host, port }: { host: string; port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    // Hung calls and open pages would keep it for ever.
    server.closeAllConnections();
  });
}
