import type { SosEvent } from '@hushryd/contracts/events/sos-event';
import type { EventFrame } from '@hushryd/contracts/realtime/server-frames';
import type { TopicFilter } from '@hushryd/contracts/realtime/topic-filter';
import { createPublishEvent } from '@hushryd/platform/topics/publish-event';
import t from 'tap';
import { startTestRealtime, type TestSocket } from './start-realtime.ts';

const topic = 'admin:sos';
const porto = { lat: 41.15, lng: -8.61 };
const lisbon = { lat: 38.72, lng: -9.14 };
const aroundPorto = { south: 41.1, west: -8.7, north: 41.2, east: -8.5 };

const node = await startTestRealtime(t, { env: { MAX_SOCKETS_PER_USER: '50' } });
const publish = createPublishEvent({ redis: node.redis.commands, keys: node.keys });

async function tell(alertId: string, version: number, changes: Partial<SosEvent> = {}): Promise<void> {
  const event: SosEvent = {
    ...{ name: 'sos.raised', alertId, at: new Date().toISOString(), version, state: 'open', userId: 'rosa' },
    ...changes,
  };
  await publish(topic, event);
}

async function watch(filter?: TopicFilter, seen: object = {}): Promise<TestSocket> {
  const socket = await node.connect('olga', 'operator');
  socket.send({ type: 'sub', id: 1, topic, ...seen, ...(filter && { filter }) });
  await socket.next('subscribed');
  return socket;
}

/** What the socket was told up to the first event of this alert, each once, as `alert version`, with `gone` where it is. */
async function toldUntil(socket: TestSocket, lastAlertId: string): Promise<string[]> {
  await socket.next('event', ({ event }) => (event as SosEvent).alertId === lastAlertId);
  const frames = new Map(socket.all('event').map((frame) => [frame.offset, frame]));
  return [...frames.values()].map(describe);
}

function describe({ event, gone }: EventFrame): string {
  const { alertId, version } = event as SosEvent;
  return `${alertId} ${version}${gone ? ' gone' : ''}`;
}

t.test('a filtered socket hears of alerts that fit, and that one has stopped to', async (t) => {
  const [all, around, open, named] = await Promise.all([
    watch(),
    watch({ bbox: aroundPorto }),
    watch({ states: ['open'] }),
    watch({ text: 'HER' }),
  ]);

  await tell('near', 1, porto);
  await tell('far', 1, lisbon);
  await tell('lost', 1, { userId: 'herta' });
  await tell('near', 2, { ...porto, name: 'sos.acknowledged', state: 'acknowledged' });
  await tell('far', 2, { ...lisbon, name: 'sos.noted' });
  await tell('lost', 2, { ...lisbon, name: 'sos.pressed_again', userId: 'herta', sound: true });
  await tell('near', 3, { ...porto, name: 'sos.noted', state: 'acknowledged' });
  await tell('lost', 3, { ...lisbon, name: 'sos.claimed', userId: 'herta' });
  await tell('end', 1, { ...porto, userId: 'herta' });

  const everything = ['near 1', 'far 1', 'lost 1', 'near 2', 'far 2', 'lost 2', 'near 3', 'lost 3', 'end 1'];
  t.same(await toldUntil(all, 'end'), everything);
  t.same(await toldUntil(around, 'end'), ['near 1', 'lost 1', 'near 2', 'lost 2 gone', 'near 3', 'end 1']);
  t.same(await toldUntil(open, 'end'), [
    'near 1',
    'far 1',
    'lost 1',
    'near 2 gone',
    'far 2',
    'lost 2',
    'lost 3',
    'end 1',
  ]);
  t.same(await toldUntil(named, 'end'), ['lost 1', 'lost 2', 'lost 3', 'end 1']);
  t.match(
    around.all('event').find((frame) => frame.gone),
    { event: { sound: true, ...lisbon }, mustAck: true },
    'with all that is known of it',
  );
});

t.test('that an alert is gone is said again until it is acknowledged', async (t) => {
  const open = await watch({ states: ['open'] });
  await tell('repeated', 1);
  await tell('repeated', 2, { name: 'sos.resolved', state: 'resolved' });
  const { offset } = await open.next('event', ({ gone }) => gone === true);

  t.match(await open.next('event', (frame) => frame.offset === offset), { gone: true, mustAck: true });
});

t.test('who comes back hears of what has stopped to fit meanwhile', async (t) => {
  const filter = { bbox: aroundPorto, states: ['open'] };
  const first = await watch(filter);
  await tell('meanwhile', 1, porto);
  const { epoch, offset } = await first.next('event', ({ event }) => (event as SosEvent).alertId === 'meanwhile');
  first.ws.close();
  await first.ended();
  await tell('meanwhile', 2, { ...porto, name: 'sos.acknowledged', state: 'acknowledged' });
  await tell('elsewhere', 1, lisbon);
  await tell('elsewhere', 2, { ...lisbon, name: 'sos.noted' });

  const back = await watch(filter, { epoch, offset });
  await tell('after', 1, porto);

  t.same(await toldUntil(back, 'after'), ['meanwhile 2 gone', 'after 1']);
});

t.test('a filter that no alert could fit is refused, and the subscription before it stands', async (t) => {
  const socket = await watch({ bbox: aroundPorto });
  const wrong: [TopicFilter, RegExp][] = [
    [{ states: ['opened'] }, /filter: states: send some of open, acknowledged/],
    [{ bbox: { ...aroundPorto, south: 41.3 } }, /filter: bbox: south lies above north/],
  ];
  for (const [filter, message] of wrong) {
    socket.send({ type: 'sub', id: 7, topic, filter });
    t.match(await socket.next('error'), { id: 7, code: 'frame_invalid', message });
  }

  await tell('still', 1, porto);

  t.same(await toldUntil(socket, 'still'), ['still 1']);
});

t.test('what is listed again after a hole in the log is gone again where it does not fit', async (t) => {
  const open = await watch({ states: ['open'] });
  await tell('hole', 1);
  await tell('hole', 2, { name: 'sos.acknowledged', state: 'acknowledged' });
  await open.next('event', ({ gone }) => gone === true);

  await node.redis.commands.del(node.keys.topicHead(topic));
  await tell('hole', 3, { name: 'sos.pressed_again' });
  t.match(await open.next('subscribed'), { topic, recovered: false }, 'with 3, which is in the list now');
  await tell('hole', 4, { name: 'sos.acknowledged', state: 'acknowledged' });
  await tell('beyond', 1);

  await open.next('event', ({ event }) => (event as SosEvent).alertId === 'beyond');
  t.same([...new Set(open.all('event').map(describe))], ['hole 1', 'hole 2 gone', 'hole 4 gone', 'beyond 1']);
});
