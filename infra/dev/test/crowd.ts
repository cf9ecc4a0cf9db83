import type { Role } from '@hushryd/platform/auth/claims';
import { nodeOf } from '@hushryd/platform/nodes/realtime-nodes';
import { waitFor, within } from '@hushryd/platform/testing/wait-for';
import type { CreateSocket } from '@hushryd/sdk/connection/socket';
import type { HttpClient } from '@hushryd/sdk/http/http-client';
import { createRiderClient, type RiderClient } from '@hushryd/sdk/rider-client';
import { WebSocket } from 'ws';
import type { System } from './system.ts';

/** A client that follows one trip, and everything its app was told of it. */
export interface Watcher {
  readonly rider: RiderClient;
  readonly tripId: string;
  /** Versions of the trip, in the order in which events told of them: each event is one higher. */
  readonly versions: number[];
  /** How often it was told that events are gone. */
  missed: number;
  /** Sockets that it opened or tried to open. */
  tries: number;
  /** Sockets on which it was told `ready`. */
  greetings: number;
  /** Node of the newest socket, by its instance id. */
  node: string;
  /** Cut the socket without a word, and keep the client from coming back until `release`. */
  hold(): void;
  release(): void;
}

export interface CrowdOptions {
  readonly size: number;
  readonly tripIds: readonly string[];
  /** Begins the user ids. */
  readonly name: string;
  readonly role?: Role;
  /** Break what makes a client recover: it comes back without the place that it had. */
  readonly forgetsPlaces?: boolean;
  /** Clients that connect at the same time. */
  readonly atOnce?: number;
}

const gatherWithinMs = 120_000;
const patience = { withinMs: gatherWithinMs, what: 'the whole crowd on line' };

/** SDK clients, each following one of the trips; live and subscribed when this returns. */
export async function gatherCrowd(system: System, options: CrowdOptions): Promise<Watcher[]> {
  const { size, atOnce = 100 } = options;
  const crowd = Array.from({ length: size }, (_, index) => createWatcher(system, options, index));
  const waiting = [...crowd];
  const connectOneByOne = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) await next.connect();
  };
  await within(Promise.all(Array.from({ length: atOnce }, connectOneByOne)), patience);
  await waitFor(() => crowd.every(({ isSubscribed }) => isSubscribed()), patience);
  return crowd;
}

function createWatcher(system: System, options: CrowdOptions, index: number) {
  const { tripIds, name, role = 'operator', forgetsPlaces = false } = options;
  const tripId = tripIds[index % tripIds.length] ?? '';
  const connection = system.connectionOptions(`${name}-${index}`, role);
  const token = system.token(`${name}-${index}`, role);
  let socket: WebSocket | undefined;
  let held: { promise: Promise<void>; open: () => void } | undefined;
  let isSubscribed = false;

  const createSocket: CreateSocket = (url, protocols, headers) => {
    socket = new WebSocket(url, protocols, { headers, perMessageDeflate: false });
    watcher.tries += 1;
    if (!forgetsPlaces) return socket;
    const send = socket.send.bind(socket);
    socket.send = (text: string) => send(withoutPlace(text));
    return socket;
  };
  const rider = createRiderClient({
    ...connection,
    createSocket,
    async getToken() {
      await held?.promise;
      return token;
    },
    // On a loaded machine thousands of clients in one process are late by themselves.
    connectTimeoutMs: 30_000,
  });
  rider.on('state', (state) => {
    if (state.name !== 'live' || state.transport !== 'websocket') return;
    watcher.greetings += 1;
    watcher.node = nodeOf(state.connectionId);
  });
  rider.watchTrip(tripId, {
    onSubscribed() {
      isSubscribed = true;
    },
    onEvent(event) {
      if ('version' in event) watcher.versions.push(event.version);
    },
    onMissed() {
      watcher.missed += 1;
    },
  });
  const watcher = {
    rider,
    tripId,
    versions: [] as number[],
    missed: 0,
    tries: 0,
    greetings: 0,
    node: '',
    connect: () => rider.connect(),
    isSubscribed: () => isSubscribed,
    hold() {
      let open = (): void => undefined;
      const promise = new Promise<void>((resolve) => {
        open = resolve;
      });
      held = { promise, open };
      socket?.terminate();
    },
    release() {
      held?.open();
      held = undefined;
    },
  };
  return watcher;
}

function withoutPlace(text: string): string {
  const { epoch: _, offset: __, ...frame } = JSON.parse(text) as Record<string, unknown>;
  return JSON.stringify(frame);
}

/** Over a websocket: polling meanwhile does not count. */
export const isBack = ({ rider }: Watcher): boolean =>
  rider.state.name === 'live' && rider.state.transport === 'websocket';

export function closeAll(crowd: readonly Watcher[]): void {
  for (const { rider } of crowd) rider.close();
}

/** News of trips: each event makes the trip's version one higher. */
export interface News {
  readonly tripIds: readonly string[];
  /** Versions told of since the news were opened, by trip. */
  readonly published: ReadonlyMap<string, readonly number[]>;
  /** Events published so far. */
  toldCount(): number;
  /** Publish one event of each trip. */
  publish(): Promise<void>;
  /** Publish all the time. @returns a way to end that, which resolves with how many events it were */
  keepPublishing(): () => Promise<number>;
}

const newsEveryMs = 100;
const createdAtOnce = 20;

/** Trips that nobody drives, about which there is something to tell whenever a test wants it. */
export async function openNews(operator: HttpClient, { trips, name = 'news' }: { trips: number; name?: string }) {
  const tripIds = Array.from({ length: trips }, (_, index) => `${name}-${index}`);
  const place = { lat: 41, lng: -8.6 };
  const published = new Map<string, number[]>(tripIds.map((tripId) => [tripId, []]));
  const waiting = [...tripIds];
  const createOneByOne = async () => {
    for (let tripId = waiting.pop(); tripId; tripId = waiting.pop()) {
      await operator.createTrip({
        tripId,
        driverId: `driver-of-${tripId}`,
        passengerIds: [],
        origin: place,
        destination: place,
      });
    }
  };
  await Promise.all(Array.from({ length: createdAtOnce }, createOneByOne));
  let count = 0;
  const tell = async (tripId: string) => {
    count += 1;
    const { version } = await operator.putPassengers(tripId, [`passenger-${count}`]);
    published.get(tripId)?.push(version);
  };

  const news: News = {
    tripIds,
    published,
    toldCount: () => count,
    publish: async () => void (await Promise.all(tripIds.map(tell))),
    keepPublishing() {
      let isOn = true;
      let told = 0;
      const loop = (async () => {
        for (let at = 0; isOn; at += 1) {
          await tell(tripIds[at % tripIds.length] as string);
          told += 1;
          await new Promise((resolve) => setTimeout(resolve, newsEveryMs));
        }
      })();
      // Whoever ends the publishing hears of it.
      loop.catch(() => undefined);
      return async () => {
        isOn = false;
        await loop;
        return told;
      };
    },
  };
  return news;
}

/** Has everybody heard the newest event of his trip, or that he missed some? */
export const isToldEverything = (crowd: readonly Watcher[], { published }: News): boolean =>
  crowd.every(({ tripId, versions, missed }) => missed > 0 || versions.at(-1) === published.get(tripId)?.at(-1));

/** The checker: everybody heard every event of his trip, once and in order. @returns what is wrong; none is right */
export function findMissed(crowd: readonly Watcher[], { published }: News): string[] {
  return crowd.flatMap(({ tripId, versions, missed }, index) => {
    const wanted = (published.get(tripId) ?? []).join(' ');
    const heard = versions.join(' ');
    if (heard === wanted && missed === 0) return [];
    return [`watcher ${index} of ${tripId}: told ${missed} times of a loss, heard ${heard} of ${wanted}`];
  });
}
