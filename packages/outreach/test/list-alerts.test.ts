import type { TopicFilter } from '@hushryd/contracts/realtime/topic-filter';
import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { testMongo } from '@hushryd/platform/testing/engines';
import t from 'tap';
import { type AlertDocument, alertsCollection } from '../src/alerts/alert-document.ts';
import { createAlertStore } from '../src/alerts/alert-store.ts';
import { listAlerts } from '../src/alerts/list-alerts.ts';

const mongo = await testMongo(t);
await ensureCollections(mongo.db, [alertsCollection]);
const alerts = mongo.db.collection<AlertDocument>('alerts');
const store = createAlertStore({ db: mongo.db, deadlineMs: 10_000 });

const states = ['open', 'acknowledged', 'resolved', 'false_alarm', 'cancelled'] as const;
const porto = { south: 41.1, west: -8.7, north: 41.2, east: -8.5 };

/** Number 0 is the newest; states go round, every second one is in Porto, every third one says no place. */
function alertOf(number: number) {
  const state = states[number % states.length];
  const inPorto = { lat: 41.15, lng: -8.61 };
  const place = number % 2 === 0 ? inPorto : { lat: 38.7, lng: -9.1 };
  return {
    _id: `alert-${String(number).padStart(2, '0')}`,
    open: state === 'open' || state === 'acknowledged',
    state,
    person: { userId: `rider-${number}`, role: 'rider' },
    trigger: {
      triggeredAt: new Date(0).toISOString(),
      ...(number % 3 !== 0 && { location: { ...place, recordedAt: new Date(0).toISOString() } }),
      ...(number % 10 === 0 && { tripId: `Trip-${number}` }),
    },
    triggerIds: [`alert-${number}`],
    receivedAt: new Date(1_700_000_000_000 - number * 1_000),
  };
}
const all = Array.from({ length: 100 }, (_, number) => alertOf(number));
await alerts.insertMany(all as never);
const inOrder = all.toSorted((one, other) => Number(other.open) - Number(one.open));

async function walk(filter: TopicFilter, { limit = 10, looks = 1_000 } = {}) {
  const found: string[] = [];
  let pages = 0;
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof listAlerts>> = await listAlerts(
      store,
      { filter, limit, ...(cursor !== null && { cursor }) },
      looks,
    );
    t.ok(page.alerts.length <= limit);
    found.push(...page.alerts.map(({ _id }) => _id));
    cursor = page.nextCursor;
    pages += 1;
  } while (cursor !== null && pages < 500);
  return { found, pages };
}

const idsOf = (fits: (alert: (typeof all)[0]) => boolean) => inOrder.filter(fits).map(({ _id }) => _id);
const isAround = ({ trigger: { location } }: (typeof all)[0]) => location === undefined || location.lat > 41;

t.test(
  'pages of a filtered list name each alert that fits once, in order, however little one page looks at',
  async (t) => {
    const table: [TopicFilter, string[]][] = [
      [{}, idsOf(() => true)],
      [{ states: ['false_alarm'] }, idsOf(({ state }) => state === 'false_alarm')],
      [{ states: ['open', 'acknowledged'] }, idsOf(({ open }) => open)],
      [{ states: ['resolved', 'cancelled'] }, idsOf(({ state }) => state === 'resolved' || state === 'cancelled')],
      [{ states: ['open', 'resolved'] }, idsOf(({ state }) => state === 'open' || state === 'resolved')],
      [{ bbox: porto }, idsOf(isAround)],
      [{ bbox: porto, states: ['open'] }, idsOf((alert) => isAround(alert) && alert.state === 'open')],
      [{ text: 'TRIP-1' }, idsOf(({ trigger }) => trigger.tripId?.startsWith('Trip-1') === true)],
      [{ text: 'rider-9' }, idsOf(({ person }) => person.userId.includes('rider-9'))],
      [{ text: 'alert-99' }, ['alert-99']],
      [{ text: '.*' }, []],
    ];
    for (const [filter, expected] of table) {
      const what = JSON.stringify(filter);
      t.same((await walk(filter)).found, expected, what);
      t.same((await walk(filter, { limit: 100 })).found, expected, `${what}, in large pages`);
      t.same((await walk(filter, { looks: 7 })).found, expected, `${what}, looking at few`);
    }
  },
);

t.test('a page that has looked at enough says where the search goes on', async (t) => {
  const { found, pages } = await walk({ text: 'alert-99' }, { looks: 40 });
  t.same(found, ['alert-99']);
  t.equal(pages, 3, 'all 100 are looked at, 40 a page');
  t.equal((await walk({ text: 'alert-99' }, { looks: 101 })).pages, 1, 'null where the end was seen');
});

t.test('an alert that changes while it is looked for is not told as what it was', async (t) => {
  const slow = {
    ...store,
    async listOutlines(...asked: Parameters<typeof store.listOutlines>) {
      const seen = await store.listOutlines(...asked);
      await alerts.updateOne({ _id: 'alert-00' }, { $set: { state: 'acknowledged' } });
      return seen;
    },
  };

  const { alerts: found } = await listAlerts(slow, { filter: { states: ['open'], text: 'alert-0' }, limit: 10 });

  t.same(
    found.map(({ _id }) => _id),
    ['alert-05'],
  );
});
