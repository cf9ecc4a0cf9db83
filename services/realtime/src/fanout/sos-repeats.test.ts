import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import type { TopicMessage } from '@hushryd/platform/topics/event-feed';
import t from 'tap';
import type { Connection, Membership } from '../connections/connection.ts';
import { createMetrics } from '../metrics.ts';
import { joinEvents } from './event-rooms.ts';
import type { EventListener } from './event-stream.ts';
import type { EventStreams } from './event-streams.ts';
import { createSosRepeats } from './sos-repeats.ts';

const metrics = () =>
  createMetrics(createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false }));
const alert = (offset: number): TopicMessage => ({ topic: 'admin:sos', epoch: 'e1', offset, event: {} });

/** A socket that is closed by what it cannot take, as a real one. */
function createSocket({ isOpen = true, isFull = false } = {}) {
  const sent: string[] = [];
  const memberships = new Map<string, Membership>();
  const connection = {
    isOpen,
    memberships: memberships as Map<string, Membership> | undefined,
    send(frame: string) {
      if (isFull) {
        connection.isOpen = false;
        connection.memberships = undefined;
      } else if (connection.isOpen) sent.push(frame);
      return connection.isOpen;
    },
    sendFrame: (frame: object) => connection.send(JSON.stringify(frame)),
    close: () => undefined,
  };
  return { connection: connection as unknown as Connection, memberships, sent };
}

t.test('an alert is said again until it is acknowledged', async (t) => {
  let nowMs = 0;
  const repeats = createSosRepeats({ metrics: metrics(), monotonicMs: () => nowMs });
  const { connection, sent } = createSocket();
  repeats.sent(connection, alert(1), 'one');
  repeats.sent(connection, alert(2), 'two');

  nowMs = 2000;
  repeats.sweep();
  t.strictSame(sent.splice(0), ['one', 'two']);

  repeats.ack(connection, { topic: 'admin:sos', epoch: 'e1', offset: 1 });
  nowMs += 10_000;
  repeats.sweep();
  t.strictSame(sent, ['two']);
  t.equal(repeats.unackedCount, 1);
});

t.test('a socket that is closed is owed nothing', async (t) => {
  const repeats = createSosRepeats({ metrics: metrics() });

  repeats.sent(createSocket({ isOpen: false }).connection, alert(1), 'one');

  t.equal(repeats.unackedCount, 0);
});

t.test('a socket that ends by the answer to its `sub` is handed nothing more', async (t) => {
  const { connection, memberships } = createSocket({ isFull: true });
  const place: Membership = { leave: () => undefined };
  memberships.set('admin:sos', place);
  const handed: unknown[] = [];
  const streams = {
    enter: () => ({}) as EventListener,
    catchUp: async () => ({ head: undefined, recovered: true, missed: [alert(1)] }),
    goLive: (_: EventListener, { missed }: { missed: TopicMessage[] }) => void handed.push(...missed),
  } as unknown as EventStreams;

  await joinEvents(
    { streams },
    { connection, place, topic: 'admin:sos', eventClass: 'sos', id: 1, seen: undefined, judge: undefined },
  );

  t.strictSame(handed, []);
});
