import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { testRedis } from '@hushryd/platform/testing/engines';
import type { TopicMessage } from '@hushryd/platform/topics/event-feed';
import type { TopicHead } from '@hushryd/platform/topics/event-log';
import { createPublishEvent } from '@hushryd/platform/topics/publish-event';
import { createRecoverEvents, type RecoverEvents } from '@hushryd/platform/topics/recover-events';
import fc from 'fast-check';
import t from 'tap';
import type { Connection } from '../src/connections/connection.ts';
import type { EventListener } from '../src/fanout/event-stream.ts';
import { createEventStreams } from '../src/fanout/event-streams.ts';
import { subscribedFrame } from '../src/fanout/subscribed-frame.ts';
import { createMetrics } from '../src/metrics.ts';

// Event streams over a real log, with a feed that loses what the test says, and sockets that come, go and are slow to read.

const seed = Date.now() % 2 ** 31;
t.comment(`fast-check seed ${seed}`);
const runs = 1000;

const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const settings = (await testRedis(t)).settings({ partitions: 2, commandTimeoutMs: 5000 });
const connections = await connectRedis({ settings, role: 'live', log });
t.teardown(() => connections.close());
const redis = connections.commands;
const keys = createKeys(settings);
const publishEvent = createPublishEvent({ redis, keys });
const realRecoverEvents = createRecoverEvents({ redis, keys });
const nowhere: TopicHead = { epoch: '', offset: 0 };

const isSamePlace = (one: TopicHead | null | undefined, other: TopicHead | null | undefined): boolean =>
  one?.epoch === other?.epoch && one?.offset === other?.offset;

/** What a client believes, and the check that it is told each event once, in order, or that some are gone. */
class Client {
  readonly problems: string[] = [];
  place: TopicHead | undefined;
  losses = 0;
  isIn = false;
  listener: EventListener | undefined;
  bufferedBytes = 0;
  readonly #eventAt: ReadonlyMap<string, string>;

  constructor(eventAt: ReadonlyMap<string, string>) {
    this.#eventAt = eventAt;
  }

  readonly connection = {
    send: (text: string) => this.hear(JSON.parse(text) as ServerFrame),
    sendFrame: (frame: ServerFrame) => this.hear(frame),
    close: () => undefined,
  } as unknown as Connection;

  hear(frame: ServerFrame): boolean {
    if (!this.isIn) this.problems.push(`${frame.type} after leaving`);
    if (frame.type === 'subscribed') {
      if (frame.recovered === true) return true;
      if (frame.recovered === false) this.losses += 1;
      this.place = { epoch: frame.epoch ?? '', offset: frame.offset ?? 0 };
    } else if (frame.type === 'event') {
      const { epoch, offset, event } = frame;
      const place = this.place ?? nowhere;
      const isNext = place.epoch === '' ? offset === 1 : place.epoch === epoch && place.offset + 1 === offset;
      if (!isNext) this.problems.push(`${epoch}/${offset} after ${place.epoch}/${place.offset}`);
      const { noticeId } = event as { noticeId: string };
      if (this.#eventAt.get(`${epoch}/${offset}`) !== noticeId) this.problems.push(`${noticeId} is not ${offset}`);
      this.place = { epoch, offset };
    }
    return true;
  }
}

/** `doesWait`: what the step began gets a turn of the event loop before the next. */
type Step = { doesWait: boolean } & (
  | { do: 'publish'; isHeard: boolean }
  | { do: 'join' | 'leave' | 'fill' | 'drain'; client: number }
  | { do: 'gap' | 'hold replies' | 'release replies' | 'trim' | 'lose all' | 'lose the last' }
);

const client = fc.integer({ min: 0, max: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ doesWait: fc.boolean(), do: fc.constant('publish' as const), isHeard: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ doesWait: fc.boolean(), do: fc.constant('join' as const), client }) },
  { weight: 2, arbitrary: fc.record({ doesWait: fc.boolean(), do: fc.constant('leave' as const), client }) },
  {
    weight: 2,
    arbitrary: fc.record({ doesWait: fc.boolean(), do: fc.constantFrom('fill' as const, 'drain' as const), client }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      doesWait: fc.boolean(),
      do: fc.constantFrom('gap' as const, 'hold replies' as const, 'release replies' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      doesWait: fc.boolean(),
      do: fc.constantFrom('trim' as const, 'lose all' as const, 'lose the last' as const),
    }),
  },
);

/** Carries the steps out; afterwards everybody who is subscribed stands where the log does. */
async function play(steps: readonly Step[], recoverEvents: RecoverEvents): Promise<Client[]> {
  const topic = `user:${randomBytes(8).toString('hex')}`;
  const eventAt = new Map<string, string>();
  const clients = [0, 1, 2].map(() => new Client(eventAt));
  for (const each of clients)
    Object.defineProperty(each.connection, 'bufferedBytes', { get: () => each.bufferedBytes });
  const readHead = async (): Promise<TopicHead | null> => {
    const [epoch, offset] = await redis.hmget(keys.topicHead(topic), 'epoch', 'offset');
    return epoch ? { epoch, offset: Number(offset) } : null;
  };
  const underWay: Promise<void>[] = [];
  let isHolding = false;
  const held: (() => void)[] = [];
  const release = () => {
    isHolding = false;
    for (const reply of held.splice(0)) reply();
  };
  const streams = createEventStreams({
    feed: { head: readHead },
    recoverEvents: async (name, seen) => {
      const found = await recoverEvents(name, seen);
      // Events come over another connection than replies, and may be here first.
      if (isHolding) await new Promise<void>((release) => held.push(release));
      return found;
    },
    partitionOf: () => 0,
    sosRepeats: { sent: () => undefined, forget: () => undefined },
    snapshotOf: () => undefined,
    onPassedOn: () => undefined,
    slowBytes: 100,
    metrics: createMetrics(createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false })),
    log,
  });

  async function join(one: Client): Promise<void> {
    if (one.isIn) return;
    one.isIn = true;
    const { connection } = one;
    const listener = streams.enter({ connection, topic, eventClass: 'event' });
    one.listener = listener;
    const caughtUp = await streams.catchUp(listener, one.place?.epoch ? one.place : undefined);
    if (one.listener !== listener) return;
    connection.sendFrame(subscribedFrame({ id: undefined, topic, caughtUp }));
    streams.goLive(listener, caughtUp);
  }

  function leave(one: Client): void {
    if (one.listener !== undefined) streams.leave(one.listener);
    one.listener = undefined;
    one.isIn = false;
  }

  async function publish(isHeard: boolean): Promise<void> {
    const noticeId = randomBytes(6).toString('hex');
    const event = { name: 'notice', noticeId, at: '2026-01-01T00:00:00.000Z', title: 'x' };
    const head = await publishEvent(topic, event);
    eventAt.set(`${head.epoch}/${head.offset}`, noticeId);
    const message: TopicMessage = { topic, ...head, event };
    if (isHeard) streams.onEvent(message);
  }

  /** Redis came back from a replica that was `offset` behind. */
  async function loseTheLast(): Promise<void> {
    const head = await readHead();
    if (head === null || head.offset === 0) return;
    await redis.hset(keys.topicHead(topic), 'offset', head.offset - 1, 'server', 'another');
    await redis.xdel(keys.topicEvents(topic), `${head.offset}-0`);
    await redis.call('XSETID', keys.topicEvents(topic), `${head.offset - 1}-0`);
    // A node hears of it by the numbers of the feed, which went back as well.
    underWay.push(streams.onGap(0));
  }

  function drain(one: Client): void {
    one.bufferedBytes = 0;
    streams.drained(one.connection);
  }

  const of = (index: number) => clients[index] as Client;
  const carryOut = {
    publish: ({ isHeard }: { isHeard: boolean }) => publish(isHeard),
    join: ({ client }: { client: number }) => void underWay.push(join(of(client))),
    leave: ({ client }: { client: number }) => leave(of(client)),
    fill: ({ client }: { client: number }) => {
      of(client).bufferedBytes = 1000;
    },
    drain: ({ client }: { client: number }) => drain(of(client)),
    gap: () => void underWay.push(streams.onGap(0)),
    'hold replies': () => {
      isHolding = true;
    },
    'release replies': release,
    trim: () => redis.xtrim(keys.topicEvents(topic), 'MAXLEN', 2),
    'lose all': () => redis.del(keys.topicHead(topic), keys.topicEvents(topic)),
    'lose the last': loseTheLast,
  };
  for (const one of steps) {
    await (carryOut[one.do] as (step: Step) => unknown)(one);
    if (one.doesWait) await nextTurn();
  }

  release();
  await Promise.all(underWay);
  await publish(true);
  for (const one of clients) drain(one);
  const head = await readHead();
  // What is amiss now was shown by the last event; a read of the log takes a round trip.
  for (let turn = 0; turn < 20; turn += 1) {
    if (clients.every(({ isIn, place }) => !isIn || isSamePlace(place, head))) break;
    await redis.ping();
    await nextTurn();
  }
  for (const one of clients) {
    if (!one.isIn) continue;
    const { place } = one;
    if (!isSamePlace(place, head))
      one.problems.push(`ends at ${place?.epoch}/${place?.offset}, the log at ${head?.epoch}/${head?.offset}`);
  }
  return clients;
}

const holds = (recoverEvents: RecoverEvents) =>
  fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
    for (const { problems } of await play(steps, recoverEvents))
      if (problems.length > 0) throw new Error(problems.join('; '));
  });

t.test('each client is told each event once and in order, or that some are gone', async () => {
  await fc.assert(holds(realRecoverEvents), { seed, numRuns: runs });
});

t.test('a log that forgets to say what is gone is found out', async (t) => {
  const forgetful: RecoverEvents = async (topic, seen) => {
    const found = await realRecoverEvents(topic, seen);
    return found.recovered ? found : { recovered: true, head: found.head ?? seen, messages: [] };
  };
  await t.rejects(fc.assert(holds(forgetful), { seed, numRuns: runs }), /after|ends at|is not/);
});

t.test('nothing is lost as long as the log has it', async (t) => {
  const steps = fc.array(
    step.filter(({ do: what }) => what !== 'trim' && what !== 'lose all' && what !== 'lose the last'),
    { minLength: 3, maxLength: 25 },
  );
  const property = fc.asyncProperty(steps, async (given) => {
    const clients = await play(given, realRecoverEvents);
    if (clients.some(({ losses }) => losses > 0)) throw new Error('a loss was told that was none');
  });
  await fc.assert(property, { seed, numRuns: 300 });
  t.pass();
});
