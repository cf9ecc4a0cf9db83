import type { Position } from '@hushryd/contracts/fix';
import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import type { CreateSocket } from '@hushryd/sdk/connection/socket';
import { WebSocket } from 'undici';

/** What one client's sockets were told, beneath the SDK: it would hide a position that goes back. */
export interface Heard {
  /** Sockets opened so far. */
  sockets: number;
  /** False from a `status {live: false}` until the next `live: true` or the next socket. */
  isLive: boolean;
  /** Answers to fixes over the newest socket. */
  received: number;
  /** How often live data was said to be away. */
  timesAway: number;
  /** How often a node said that it drains. */
  drainHints: number;
  /** Positions that went back within one socket; each is a fault. */
  backwards: string[];
}

export const createHeard = (): Heard => ({
  sockets: 0,
  isLive: true,
  received: 0,
  timesAway: 0,
  drainHints: 0,
  backwards: [],
});

/** Opens sockets as native apps do, and notes down what comes over them. `addressOf` stands in for a load balancer. */
export function listeningSocket(heard: Heard, addressOf: (url: string) => string = (url) => url): CreateSocket {
  return (url, protocols, headers) => {
    const socket = new WebSocket(addressOf(url), { protocols, headers });
    const newest = new Map<string, Position>();
    heard.sockets += 1;
    heard.isLive = true;
    heard.received = 0;
    socket.addEventListener('message', ({ data }) => {
      const frame = JSON.parse(String(data)) as ServerFrame;
      if (frame.type === 'recv') heard.received += 1;
      if (frame.type === 'draining') heard.drainHints += 1;
      if (frame.type === 'status') {
        heard.isLive = frame.live;
        if (!frame.live) heard.timesAway += 1;
      }
      if (frame.type !== 'position') return;
      const { position, topic } = frame;
      const before = newest.get(topic);
      if (before && compareFixes(position, before) < 0) {
        heard.backwards.push(`${topic}: ${nameOf(position)} after ${nameOf(before)}`);
      }
      newest.set(topic, position);
    });
    return socket;
  };
}

type Place = Pick<Position, 'run' | 'seq'>;

/** Order of a driver's fixes. */
export const compareFixes = (a: Place, b: Place): number => a.run - b.run || a.seq - b.seq;

export const nameOf = ({ run, seq }: Place): string => `${run}:${seq}`;
