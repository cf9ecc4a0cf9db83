import { randomBytes } from 'node:crypto';
import type { PutOnCallBody, Shift } from '@hushryd/contracts/http/on-call';
import { AppError } from '@hushryd/platform/errors/app-error';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { createTestCrypto } from '@hushryd/platform/testing/field-keys';
import fc from 'fast-check';
import t from 'tap';
import { type CacheEntries, createCacheEntries } from '../cache/cache-entries.ts';
import { createVersionedStore, type VersionedStore } from '../versioned/versioned-store.ts';
import { createPersonSeal, emptyRota, type Rota, type RotaDocument } from './on-call-document.ts';
import { createOnCallReader } from './on-call-reader.ts';
import { createOnCallRota } from './on-call-rota.ts';
import { isTimeZone, whoIsOnCall } from './who-is-on-call.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'error' });
const settings = (await testRedis(t)).settings();
const connections = await connectRedis({ settings, role: 'live', log });
t.teardown(() => connections.close());
const keys = createKeys(settings);
const mongo = await testMongo(t);
const seal = createPersonSeal(createTestCrypto().cipher);
const soon = { withinMs: 20_000 };
const hourMs = 3_600_000;

const everyDay = [1, 2, 3, 4, 5, 6, 7];
const rotaOf = (timeZone: string, shifts: Shift[], over: Partial<Rota> = {}): Rota => ({
  ...emptyRota,
  timeZone,
  levels: [{ name: 'first', shifts }],
  ...over,
});
const onCallAt = (rota: Rota, at: string) => whoIsOnCall(rota, Date.parse(at))[0]?.personIds;

t.test('shifts go by the clock on the wall, over midnight and in the nights of the clock change', async (t) => {
  const day: Shift = { days: [1, 2, 3, 4, 5], from: '08:00', until: '20:00', personIds: ['dana', 'eli'] };
  const night: Shift = { days: [5], from: '22:00', until: '06:00', personIds: ['nora'] };
  const kolkata = rotaOf('Asia/Kolkata', [day, night]);
  t.same(onCallAt(kolkata, '2026-03-06T02:30:00Z'), ['dana', 'eli'], 'Friday 08:00');
  t.same(onCallAt(kolkata, '2026-03-06T02:29:59Z'), [], 'a minute before');
  t.same(onCallAt(kolkata, '2026-03-06T14:30:00Z'), [], 'at 20:00 it is over');
  t.same(onCallAt(kolkata, '2026-03-06T16:30:00Z'), ['nora'], 'Friday 22:00');
  t.same(onCallAt(kolkata, '2026-03-07T00:29:00Z'), ['nora'], 'Saturday 05:59');
  t.same(onCallAt(kolkata, '2026-03-07T00:30:00Z'), [], 'Saturday 06:00');
  t.same(onCallAt(kolkata, '2026-03-07T16:30:00Z'), [], 'Saturday 22:00');

  const lisbon = rotaOf('Europe/Lisbon', [{ days: [7], from: '01:00', until: '02:00', personIds: ['nora'] }]);
  const minutesOn = (date: string) => {
    const from = Date.parse(`${date}T00:00:00Z`) - 2 * hourMs;
    return Array.from({ length: 28 * 60 }, (_, minute) => whoIsOnCall(lisbon, from + minute * 60_000)[0]).filter(
      (level) => level?.personIds.length,
    ).length;
  };
  t.equal(minutesOn('2026-03-22'), 60);
  t.equal(minutesOn('2026-03-29'), 0, 'the hour that is left out');
  t.equal(minutesOn('2026-10-25'), 120, 'the hour that comes twice');
});

t.test('in a zone without clock changes it is what counting minutes of the week gives', async () => {
  const time = fc.integer({ min: 0, max: 24 * 60 - 1 });
  const text = (minutes: number) =>
    `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
  const mondayMs = Date.UTC(2026, 2, 2);
  fc.assert(
    fc.property(
      fc.subarray(everyDay, { minLength: 1 }),
      time,
      time,
      fc.nat(7 * 24 * 60 - 1),
      (days, from, until, at) => {
        const rota = rotaOf('UTC', [{ days, from: text(from), until: text(until), personIds: ['p'] }]);
        const lasts = until > from ? until - from : until + 24 * 60 - from;
        const week = 7 * 24 * 60;
        const isExpected = days.some((day) => (at - ((day - 1) * 24 * 60 + from) + 2 * week) % week < lasts);
        return (whoIsOnCall(rota, mondayMs + at * 60_000)[0]?.personIds.length === 1) === isExpected;
      },
    ),
    { numRuns: 500 },
  );
});

t.test('an override takes the place of the shifts on its level, the newest of two', async (t) => {
  const shift: Shift = { days: everyDay, from: '00:00', until: '24:00', personIds: ['dana'] };
  const during = (level: number, personId: string, from: string, until: string) => ({
    overrideId: personId,
    level,
    personIds: [personId],
    from: `2026-03-0${from}:00:00Z`,
    until: `2026-03-0${until}:00:00Z`,
  });
  const rota: Rota = {
    ...rotaOf('UTC', [shift]),
    levels: [
      { name: 'first', shifts: [shift] },
      { name: 'second', shifts: [{ ...shift, personIds: ['eli'] }] },
    ],
    overrides: [during(0, 'nora', '2T10', '2T20'), during(0, 'omar', '2T12', '2T13')],
  };
  const at = (hour: string) =>
    whoIsOnCall(rota, Date.parse(`2026-03-02T${hour}:00:00Z`)).map((level) => level.personIds);
  t.same(at('09'), [['dana'], ['eli']]);
  t.same(at('10'), [['nora'], ['eli']]);
  t.same(at('12'), [['omar'], ['eli']]);
  t.same(at('13'), [['nora'], ['eli']]);
  t.same(at('20'), [['dana'], ['eli']]);
  t.same([isTimeZone('Asia/Kolkata'), isTimeZone('Mars/Base'), isTimeZone('')], [true, false, false]);
});

/** A rota of its own, in a collection and under a key of its own. */
function createStage() {
  const name = `on_call_${randomBytes(6).toString('hex')}`;
  const store = createVersionedStore<RotaDocument>({ db: mongo.db, name, deadlineMs: 5_000 });
  const entries = createCacheEntries({ redis: connections.commands });
  const ownKeys = { ...keys, onCall: () => `${settings.prefix}${name}` };
  const createNode = (over: { entries?: CacheEntries; store?: VersionedStore<RotaDocument> } = {}) => {
    const reader = createOnCallReader({ store, seal, entries, keys: ownKeys, log, ...over });
    return { reader, rota: createOnCallRota({ store, seal, copies: reader }) };
  };
  return { name, store, createNode };
}

const wishFor = (version: number, over: Partial<PutOnCallBody> = {}): PutOnCallBody => ({
  version,
  timeZone: 'UTC',
  people: [{ personId: 'dana', name: 'Dana', phone: '+15555550121', locale: 'en', channels: ['voice'] }],
  levels: [{ name: 'first', shifts: [{ days: everyDay, from: '00:00', until: '24:00', personIds: ['dana'] }] }],
  ...over,
});

t.test(
  'the rota is replaced on condition of its version, and numbers may be left out once they are known',
  async (t) => {
    const { name, createNode } = createStage();
    const [one, other] = [createNode(), createNode()];
    t.equal((await one.rota.put(wishFor(0))).version, 1);
    await t.rejects(other.rota.put(wishFor(0)), { code: 'version_conflict' });
    const withoutPhone = { personId: 'dana', name: 'Dana', locale: 'en', channels: ['voice' as const] };
    t.equal((await other.rota.put(wishFor(1, { people: [withoutPhone] }))).version, 2);
    const now = await one.reader.readOnCall({ atMs: Date.now(), ...soon });
    t.match(now, { version: 2, isStale: false, levels: [[{ personId: 'dana', name: 'Dana', phone: '+15555550121' }]] });
    t.notMatch(JSON.stringify(await mongo.db.collection(name).find().toArray()), /Dana|5555/);

    const bad: Partial<PutOnCallBody>[] = [
      { timeZone: 'Mars/Base' },
      { people: [{ ...withoutPhone, personId: 'new' }] },
      { people: [...wishFor(2).people, ...wishFor(2).people] },
      { people: [{ ...withoutPhone, personId: 'eli', phone: '+15555550122' }] },
    ];
    for (const over of bad) await t.rejects(one.rota.put(wishFor(2, over)), { code: 'request_invalid' });
  },
);

t.test('an override counts at once on every node, and ends when it is removed', async (t) => {
  const { createNode } = createStage();
  const [one, other] = [createNode(), createNode()];
  const eli = { personId: 'eli', name: 'Eli', phone: '+15555550122', locale: 'en', channels: ['voice' as const] };
  await one.rota.put(wishFor(0, { people: [...wishFor(0).people, eli] }));
  const nowMs = Date.now();
  const wish = {
    level: 0,
    personIds: ['eli'],
    from: new Date(nowMs - hourMs).toISOString(),
    until: new Date(nowMs + hourMs).toISOString(),
  };
  const namesNow = async () =>
    (await other.reader.readOnCall({ atMs: nowMs, ...soon }))?.levels[0]?.map(({ name }) => name);

  t.same(await namesNow(), ['Dana']);
  await one.rota.putOverride('holiday', wish);
  t.same(await namesNow(), ['Eli']);
  t.equal((await one.rota.putOverride('holiday', wish)).version, 2, 'the same again changes nothing');
  await t.rejects(one.rota.putOverride('odd', { ...wish, until: wish.from }), { code: 'request_invalid' });
  await t.rejects(one.rota.putOverride('odd', { ...wish, level: 1 }), { code: 'request_invalid' });
  await t.rejects(one.rota.putOverride('odd', { ...wish, personIds: ['who'] }), { code: 'request_invalid' });
  await t.rejects(one.rota.put(wishFor(2)), { code: 'request_invalid' }, 'who has an override stays on the rota');
  await one.rota.removeOverride('holiday');
  await one.rota.removeOverride('holiday');
  t.same(await namesNow(), ['Dana']);
});

t.test('with both stores away it is what the node read last that rings', async (t) => {
  const { store, createNode } = createStage();
  let isAway = false;
  const unless = <Args extends unknown[], Result>(work: (...args: Args) => Promise<Result>) => {
    return async (...args: Args) => {
      if (isAway) throw new AppError('redis_unavailable');
      return work(...args);
    };
  };
  const steady = createCacheEntries({ redis: connections.commands });
  const node = createNode({
    entries: { ...steady, read: unless(steady.read), renew: unless(steady.renew) },
    store: { ...store, find: unless(store.find) },
  });
  await createNode().rota.put(wishFor(0));
  isAway = true;
  t.equal(await node.reader.readOnCall({ atMs: Date.now(), ...soon }), undefined, 'it never read one');
  isAway = false;
  t.match(await node.reader.readOnCall({ atMs: Date.now(), ...soon }), { isStale: false });
  isAway = true;
  t.match(await node.reader.readOnCall({ atMs: Date.now(), ...soon }), { isStale: true, levels: [[{ name: 'Dana' }]] });
});
