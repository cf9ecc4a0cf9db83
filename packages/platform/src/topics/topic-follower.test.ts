import { test } from 'tap';
import { waitFor } from '../testing/wait-for.ts';
import type { TopicMessage } from './event-feed.ts';
import type { TopicHead } from './event-log.ts';
import type { EventsAfter } from './recover-events.ts';
import { createTopicFollower } from './topic-follower.ts';

const topic = 'trip:one';
const message = (offset: number, epoch = 'e1'): TopicMessage => ({ topic, epoch, offset, event: offset });
const messages = (from: number, to: number): TopicMessage[] =>
  Array.from({ length: to - from + 1 }, (_, index) => message(from + index));
const soon = { withinMs: 10_000 };

/** A log of which a test says what it holds and when it answers. */
function setUp({ maxWaiting = 300 }: { maxWaiting?: number } = {}) {
  const log = { epoch: 'e1', offset: 3, oldest: 1, isAway: false };
  const told: (number | string)[] = [];
  const held: (() => void)[] = [];
  let isSlow = false;
  const answer = async (seen: TopicHead): Promise<EventsAfter> => {
    if (isSlow) await new Promise<void>((resolve) => held.push(resolve));
    if (log.isAway) throw new Error('away');
    const head = { epoch: log.epoch, offset: log.offset };
    if (seen.epoch !== log.epoch || seen.offset + 1 < log.oldest) return { recovered: false, head };
    return { recovered: true, head, messages: messages(seen.offset + 1, log.offset) };
  };
  const follower = createTopicFollower({
    topic,
    readHead: async () => ({ epoch: log.epoch, offset: log.offset }),
    recoverEvents: (_, seen) => answer(seen),
    onEvent: ({ offset }) => told.push(offset),
    onBeginAgain: (head) => told.push(`again at ${head?.epoch}:${head?.offset}`),
    onReadFailed: () => told.push('failed'),
    maxWaiting,
  });
  return {
    log,
    told,
    follower,
    beSlow: () => (isSlow = true),
    answerAll: () => {
      isSlow = false;
      for (const resolve of held.splice(0)) resolve();
    },
    held,
  };
}

test('who comes back hears all that was missed, then what comes, each once', async (t) => {
  const { follower, told } = setUp();
  const start = await follower.start({ epoch: 'e1', offset: 1 });
  t.match(start, { recovered: true, head: { epoch: 'e1', offset: 3 } });
  follower.offer(message(3));
  follower.offer(message(4));
  t.same(told, [], 'nothing before the client was told where the log stands');

  follower.goLive(start);
  follower.offer(message(4));
  follower.offer(message(5));

  t.same(told, [2, 3, 4, 5]);
  t.same(follower.place, { epoch: 'e1', offset: 5 });
});

test('a hole in the feed is filled from the log', async (t) => {
  const { follower, told, log } = setUp();
  follower.goLive(await follower.start(undefined));

  log.offset = 6;
  follower.offer(message(6));
  await waitFor(() => told.length === 3, { ...soon, what: 'the missed events' });
  t.same(told, [4, 5, 6]);
});

test('what comes while the log is read waits; a second question reads once more', async (t) => {
  const { follower, told, log, beSlow, answerAll, held } = setUp();
  follower.goLive(await follower.start(undefined));
  beSlow();

  const recovered = follower.recover();
  await waitFor(() => held.length === 1, { ...soon, what: 'the read' });
  follower.offer(message(4));
  t.same(told, []);
  log.offset = 5;
  void follower.recover();
  answerAll();
  t.equal(await recovered, true);
  t.same(told, [4, 5]);
});

test('events that are gone for good are said, and the new place counts', async (t) => {
  const { follower, told, log } = setUp();
  follower.goLive(await follower.start(undefined));
  Object.assign(log, { epoch: 'e2', offset: 7 });

  await follower.recover();
  follower.offer(message(8, 'e2'));
  t.same(told, ['again at e2:7', 8]);
});

test('a log that cannot be read leaves the follower behind until it can; nothing is passed over', async (t) => {
  const { follower, told, log } = setUp();
  follower.goLive(await follower.start(undefined));
  log.isAway = true;
  follower.offer(message(5));
  await waitFor(() => follower.isBehind, { ...soon, what: 'the failed read' });

  Object.assign(log, { isAway: false, offset: 6 });
  t.equal(await follower.recover(), true);
  t.same(told, ['failed', 4, 5, 6]);
  t.equal(follower.isBehind, false);
});

test('more than may wait is let go and read from the log', async (t) => {
  const { follower, told, log } = setUp({ maxWaiting: 2 });
  const start = await follower.start(undefined);
  for (const one of messages(4, 8)) follower.offer(one);
  log.offset = 8;
  follower.goLive(start);
  await waitFor(() => told.length === 5, { ...soon, what: 'all five' });
  t.same(told, [4, 5, 6, 7, 8]);
});

test('one that was closed passes on nothing', async (t) => {
  const { follower, told } = setUp();
  follower.goLive(await follower.start(undefined));
  follower.close();
  follower.offer(message(4));
  t.equal(await follower.recover(), true);
  t.same(told, []);
});
