import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { serveCommands } from '../processes/serve-commands.ts';

/** One route without authentication, checks or Redis, which answers with the body that it was given. */
const app = Fastify({ logger: false });
const body: { current: unknown } = { current: {} };

app.get('/v1/trips/:id/location', async () => body.current);
app.get('/v1/drivers/nearby', async () => body.current);

const commands = {
  async listen(): Promise<number> {
    await app.listen({ host: '127.0.0.1', port: 0 });
    return (app.server.address() as AddressInfo).port;
  },
  answerWith(next: unknown): void {
    body.current = next;
  },
};

export type BareFastifyCommands = typeof commands;

serveCommands(commands);
