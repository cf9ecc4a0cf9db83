import type { SosEvent } from '@hushryd/contracts/events/sos-event';
import type { AlertSummary, ListAlertsReply } from '@hushryd/contracts/http/sos';
import type { WatchHandlers } from '@hushryd/sdk/watching/watch-handlers';
import tap, { type Test } from 'tap';
import { type AlertFeedInput, createAlertFeed } from './alert-feed.ts';

const time = '2026-03-01T08:15:30.000Z';
const raised: SosEvent = {
  name: 'sos.raised',
  alertId: 'a',
  at: time,
  version: 1,
  state: 'open',
  userId: 'rider-a',
  role: 'rider',
  sound: true,
};

function summary(alertId: string, state: AlertSummary['state'] = 'open'): AlertSummary {
  const times = { triggeredAt: time, acceptedAt: time, lastPressedAt: time };
  return { alertId, state, version: 1, userId: `rider-${alertId}`, role: 'rider', pressCount: 1, ...times };
}

function setUp(t: Test, listAlerts: AlertFeedInput['listAlerts'], afterEventMs = 1) {
  let handlers: WatchHandlers = {};
  const feed = createAlertFeed({
    watchAlerts(given) {
      handlers = given;
      return { close: () => undefined };
    },
    listAlerts,
    everyMs: 60_000,
    afterEventMs,
  });
  t.teardown(() => feed.close());
  const becomes = (isSo: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => isSo() && resolve();
      feed.subscribe(look);
      look();
    });
  return {
    feed,
    becomes,
    tell: (event: SosEvent) => handlers.onEvent?.(event, { isGone: false }),
    miss: () => handlers.onMissed?.(),
  };
}

tap.test('an alert is there with its event, and is read after it', async (t) => {
  const answers: ListAlertsReply[] = [{ alerts: [], nextCursor: null }];
  const { feed, becomes, tell } = setUp(t, async () => answers.at(-1)!);
  await becomes(() => feed.state().isLoaded);
  const changed: string[] = [];
  feed.onChange((alertId) => changed.push(alertId));

  answers.push({ alerts: [{ ...summary('a'), escalatesAt: time }], nextCursor: null });
  tell(raised);
  t.match(feed.state(), { alerts: [{ alertId: 'a' }], loud: { alertId: 'a' } });
  t.same(changed, ['a']);
  await becomes(() => feed.state().alerts[0]?.escalatesAt === time);
  t.pass('the reading after it says when it escalates');
});

tap.test('a repeated event is not loud again', async (t) => {
  const { feed, becomes, tell } = setUp(t, async () => ({ alerts: [summary('a')], nextCursor: null }));
  await becomes(() => feed.state().isLoaded);
  tell(raised);
  t.equal(feed.state().loud, undefined, 'it was known');
});

tap.test('where the stored alerts cannot be read, those that are told stay', async (t) => {
  const { feed, becomes, tell } = setUp(t, () => Promise.reject(new Error('no database')));
  await becomes(() => feed.state().error !== undefined);
  tell({ ...raised, isProvisional: true });
  t.match(feed.state(), { isLoaded: false, alerts: [{ alertId: 'a', isProvisional: true }] });
});

tap.test('what was missed for good is read anew', async (t) => {
  let reads = 0;
  const { feed, becomes, miss } = setUp(t, async () => {
    reads += 1;
    return { alerts: reads === 1 ? [] : [summary('a')], nextCursor: null };
  });
  await becomes(() => feed.state().isLoaded);
  miss();
  await becomes(() => feed.state().alerts.length === 1);
  t.pass('the alert that nobody told of is there');
});

tap.test('all open ones are read, and the ended ones behind them are not', async (t) => {
  const pages: ListAlertsReply[] = [
    { alerts: [summary('a'), summary('b')], nextCursor: '1' },
    { alerts: [summary('c'), summary('d', 'resolved')], nextCursor: '2' },
  ];
  const asked: (string | undefined)[] = [];
  const { feed, becomes } = setUp(t, async ({ cursor }) => {
    asked.push(cursor);
    return pages[cursor === undefined ? 0 : Number(cursor)]!;
  });
  await becomes(() => feed.state().isLoaded);
  t.same(
    feed.state().alerts.map(({ alertId }) => alertId),
    ['a', 'b', 'c'],
  );
  t.same(asked, [undefined, '1']);
});

tap.test('events without a pause do not put the reading off', async (t) => {
  let readings = 0;
  const listAlerts = async () => {
    readings += 1;
    return { alerts: [], nextCursor: null };
  };
  const { feed, becomes, tell } = setUp(t, listAlerts, 40);
  await becomes(() => feed.state().isLoaded);
  let version = 1;
  const events = setInterval(() => {
    version += 1;
    tell({ ...raised, version });
  }, 5);
  t.teardown(() => clearInterval(events));
  await becomes(() => readings > 1);
  t.pass('it was read while they came');
});
