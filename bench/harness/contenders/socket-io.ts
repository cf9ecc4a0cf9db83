import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { type Pace, startPace } from '../load/pace.ts';
import { serveCommands } from '../processes/serve-commands.ts';

/**
 * A Socket.IO node with its Redis adapter. Two of them play a deployment: one holds the sockets, the other, where the fixes came in,
 * emits to the rooms.
 */
let io: Server | undefined;
let pace: Pace | undefined;

const commands = {
  async listen({ redisUrl, prefix }: { redisUrl: string; prefix: string }): Promise<number> {
    const server = createServer();
    // Heartbeats are told from frames more cheaply when there are none while we measure.
    io = new Server(server, { transports: ['websocket'], pingInterval: 600_000, serveClient: false });
    io.adapter(createAdapter(new Redis(redisUrl), new Redis(redisUrl), { key: `${prefix}socket.io` }));
    io.on('connection', (socket) => {
      socket.on('sub', async (topic: string) => {
        await socket.join(topic);
        socket.emit('subscribed', topic);
      });
    });
    await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
    return (server.address() as AddressInfo).port;
  },
  /** Emit to the rooms in turn, so many a second in all. */
  publish({ messages, perSecond }: { messages: readonly { topic: string; position: object }[]; perSecond: number }) {
    let next = 0;
    pace?.stop();
    pace = startPace({ perSecond, maxPerTurn: 500 }, (count) => {
      for (let sent = 0; sent < count; sent += 1) {
        const { topic, position } = messages[next] as { topic: string; position: object };
        io?.to(topic).emit('position', position);
        next = (next + 1) % messages.length;
      }
    });
  },
  stop: () => pace?.stop(),
};

export type SocketIoCommands = typeof commands;

serveCommands(commands);
