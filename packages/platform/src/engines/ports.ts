import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { EngineError } from './engine.ts';

/**
 * Below where Linux takes ports for outgoing connections from (32,768 on): one that is found here is not gone to some client's socket
 * by the time a service listens on it.
 */
const firstPort = 20_000;
const portCount = 12_000;
const tries = 50;

/** A port on 127.0.0.1 that is free now; by chance, so that two who look at the same time find different ones. */
export async function freePort(): Promise<number> {
  for (let nth = 0; nth < tries; nth += 1) {
    const port = await tryListen(firstPort + randomInt(portCount));
    if (port !== undefined) return port;
  }
  const port = await tryListen(0);
  if (port === undefined) throw new EngineError('No free port was found on 127.0.0.1.');
  return port;
}

/** Refuses a port that somebody uses, with the remedy. */
export async function assertPortIsFree(port: number): Promise<void> {
  if ((await tryListen(port)) !== undefined) return;
  throw new EngineError(
    `Port ${port} on 127.0.0.1 is taken by another program: end that program or choose another port.`,
  );
}

/** Whether somebody accepts connections on 127.0.0.1. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const end = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** Sends one line over TCP and returns the first bytes of the answer; undefined when nothing useful came in time. */
export function askOverTcp(input: { port: number; line: string; withinMs: number }): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: input.port });
    const end = (answer: string | undefined) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(input.withinMs, () => end(undefined));
    socket.once('connect', () => socket.write(`${input.line}\r\n`));
    socket.once('data', (data) => end(data.toString('latin1')));
    socket.once('error', () => end(undefined));
    socket.once('close', () => end(undefined));
  });
}

function tryListen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
    });
  });
}
