import uws, { type TemplatedApp, type us_listen_socket, type WebSocket } from 'uWebSockets.js';
import { type Pace, startPace } from '../load/pace.ts';
import { serveCommands } from '../processes/serve-commands.ts';

/**
 * The library that the realtime service stands on, with nothing around it: subscribe, publish, JSON in and out. No tokens, no checks, no
 * Redis. It answers the product's frames, so that the same clients measure both. Its argument: after how many mute
 * seconds a socket is closed; uWS pings it some seconds before.
 */
const app: TemplatedApp = uws.App();
let pace: Pace | undefined;
/** Somebody listens: fixes are passed on. */
let isRelaying = false;

app.ws('/*', {
  maxPayloadLength: 32 * 1024,
  idleTimeout: Number(process.argv[2] ?? 16),
  sendPingsAutomatically: true,
  maxBackpressure: 64 * 1024,
  open(ws) {
    ws.send('{"type":"ready"}');
  },
  message(ws, message) {
    const frame = JSON.parse(Buffer.from(message).toString('utf8')) as Frame;
    if (frame.type === 'sub') {
      ws.subscribe(frame.topic);
      isRelaying = true;
      ws.send('{"type":"subscribed"}');
    } else if (frame.type === 'hello') {
      ws.send(JSON.stringify({ type: 'welcome', run: Date.now() }));
    } else if (frame.type === 'loc') {
      answer(ws, frame);
    }
  },
});

function answer(ws: WebSocket<unknown>, { run, tripId, fixes }: LocFrame): void {
  const newest = fixes.at(-1);
  ws.send(JSON.stringify({ type: 'recv', run, seq: newest?.seq }));
  if (!isRelaying) return;
  const topic = `trip:${tripId}`;
  app.publish(
    topic,
    JSON.stringify({ type: 'position', topic, position: { tripId, state: 'on_trip', run, ...newest } }),
  );
}

type Frame = { type: 'sub'; topic: string } | { type: 'hello' } | LocFrame;

interface Message {
  readonly topic: string;
  readonly frame: string;
}

interface LocFrame {
  type: 'loc';
  run: number;
  tripId: string;
  fixes: readonly { seq: number }[];
}

const commands = {
  listen: () =>
    new Promise<number>((resolve, reject) => {
      app.listen('127.0.0.1', 0, (socket: us_listen_socket | false) => {
        if (socket) resolve(uws.us_socket_local_port(socket));
        else reject(new Error('bare uWS could not listen'));
      });
    }),
  /** Publish ready-made frames to the topics in turn, so many a second in all. */
  publish({ messages, ...pacing }: { messages: readonly Message[]; perSecond: number; maxPerTurn: number }) {
    let next = 0;
    pace?.stop();
    pace = startPace(pacing, (count) => {
      for (let sent = 0; sent < count; sent += 1) {
        const { topic, frame } = messages[next] as Message;
        app.publish(topic, frame);
        next = (next + 1) % messages.length;
      }
    });
  },
  stop: () => pace?.stop(),
};

export type BareUwsCommands = typeof commands;

serveCommands(commands);
