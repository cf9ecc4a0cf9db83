import { randomBytes } from 'node:crypto';
import { type Contact, maxContacts, type PutContactBody } from '@hushryd/contracts/http/contacts';
import { AppError } from '@hushryd/platform/errors/app-error';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { startFaultProxy } from '@hushryd/platform/testing/fault-proxy';
import { createTestCrypto } from '@hushryd/platform/testing/field-keys';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { type CacheEntries, createCacheEntries } from '../cache/cache-entries.ts';
import { createContactBook } from './contact-book.ts';
import { createContactSeal } from './contact-seal.ts';
import { type ContactStore, createContactStore, emergencyContactsCollection } from './contact-store.ts';
import { createOutreachLists } from './outreach-lists.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'error' });
const settings = (await testRedis(t)).settings();
const connections = await connectRedis({ settings, role: 'live', log });
t.teardown(() => connections.close());
const redis = connections.commands;
const keys = createKeys(settings);
const mongo = await testMongo(t);
await ensureCollections(mongo.db, [emergencyContactsCollection]);
const { cipher } = createTestCrypto();
const seal = createContactSeal(cipher);
const shipped = createCacheEntries({ redis });
const soon = { withinMs: 20_000 };
const newUser = () => `rider-${randomBytes(6).toString('hex')}`;

/** What one process has. */
function createNode({
  entries = shipped,
  store = createContactStore({ db: mongo.db }),
}: {
  entries?: CacheEntries;
  store?: ContactStore;
} = {}) {
  const lists = createOutreachLists({ store, entries, keys, log });
  return { lists, book: createContactBook({ store, seal, copies: lists }) };
}

const contactFields = (over: Partial<PutContactBody> = {}): PutContactBody => ({
  name: 'Asha',
  phone: '+15555550101',
  locale: 'en',
  channels: ['sms'],
  ...over,
});

async function namesFor(node: ReturnType<typeof createNode>, userId: string): Promise<string[]> {
  const read = await node.lists.readOutreachList(userId, soon);
  if (!('found' in read)) throw new Error(read.missed);
  return read.found.contacts.map((contact) => seal.open(userId, contact).name);
}

t.test('contacts are added, changed and removed, at most eight, each request as often as it comes', async (t) => {
  const { book } = createNode();
  const userId = newUser();
  t.same(await book.list(userId), { version: 0, contacts: [] });

  const fields = contactFields({ email: 'asha@example.com', channels: ['sms', 'email'], relation: 'sister' });
  t.match(await book.put(userId, 'one', fields), { isNew: true, contact: { ...fields, isPhoneVerified: false } });
  t.match(await book.put(userId, 'one', fields), { isNew: false });
  t.equal((await book.list(userId)).version, 1, 'the same again changes nothing');
  for (let n = 2; n <= maxContacts; n += 1) await book.put(userId, `c${n}`, contactFields());
  await t.rejects(book.put(userId, 'ninth', contactFields()), { code: 'contact_limit' });
  await book.put(userId, 'one', { ...fields, name: 'Asha K' });
  await book.remove(userId, 'c2');
  await book.remove(userId, 'c2');

  const { version, contacts } = await book.list(userId);
  t.equal(version, maxContacts + 2);
  t.equal(contacts.length, maxContacts - 1);
  t.match(contacts[0], { contactId: 'one', name: 'Asha K', email: 'asha@example.com' });
  const incomplete: Partial<PutContactBody>[] = [
    { channels: ['email'] },
    { channels: ['app'] },
    { channels: ['push'] },
  ];
  for (const over of incomplete) {
    await t.rejects(book.put(userId, 'c3', contactFields(over)), { code: 'request_invalid' });
  }
});

t.test('many nodes at once: every contact is kept', async (t) => {
  const nodes = [createNode(), createNode(), createNode()];
  const userId = newUser();
  await Promise.all(nodes.map(({ book }, n) => book.put(userId, `c${n}`, contactFields({ name: `n${n}` }))));
  for (const node of nodes) t.same((await namesFor(node, userId)).toSorted(), ['n0', 'n1', 'n2']);
});

t.test('a change that was acknowledged is in the next alert of every node', async (t) => {
  const [one, other] = [createNode(), createNode()];
  const userId = newUser();
  t.same(await namesFor(other, userId), []);
  for (let n = 0; n < 20; n += 1) {
    await one.book.put(userId, 'c', contactFields({ name: `name ${n}` }));
    t.same(await namesFor(other, userId), [`name ${n}`]);
  }
  await other.book.remove(userId, 'c');
  t.same(await namesFor(one, userId), []);
  const read = await one.lists.readOutreachList(userId, soon);
  t.match(read, { found: { userId, version: 21 } });
  t.equal(await other.lists.currentVersion(userId, 5_000), 21);
});

t.test(
  'where Redis is away a change is refused before it is written; lost on the way, it is not acknowledged',
  async (t) => {
    const away = async (): Promise<never> => {
      throw new AppError('redis_unavailable', { detail: 'not sent' });
    };
    const healthy = createNode();
    const userId = newUser();
    await healthy.book.put(userId, 'c', contactFields({ name: 'before' }));
    t.same(await namesFor(healthy, userId), ['before']);

    const cutOff = createNode({ entries: { read: away, renew: away, begin: away, fill: away } });
    await t.rejects(cutOff.book.put(userId, 'c', contactFields({ name: 'refused' })), { code: 'redis_unavailable' });
    t.equal((await healthy.book.list(userId)).version, 1, 'nothing was written');
    t.same(await namesFor(cutOff, userId), ['before'], 'and an alert reads MongoDB');

    const cutInBetween = createNode({ entries: { ...shipped, renew: away } });
    await t.rejects(cutInBetween.book.put(userId, 'c', contactFields({ name: 'after' })), {
      code: 'redis_unavailable',
    });
    t.same(await namesFor(healthy, userId), ['after'], 'written, and no copy from before stands in its way');
    await healthy.book.put(userId, 'c', contactFields({ name: 'after' }));
    t.match(await healthy.book.list(userId), { version: 2 }, 'asked for again it only ends');
  },
);

t.test(
  'with a Redis that hears and does not answer an alert has the contacts from MongoDB, and a change is refused',
  async (t) => {
    const proxy = await startFaultProxy(t, { port: Number(new URL(settings.urls.live).port) });
    const url = `redis://127.0.0.1:${proxy.port}`;
    const behind = { ...settings, urls: { live: url, queue: url, cache: url }, commandTimeoutMs: 200 };
    const own = await connectRedis({ settings: behind, role: 'live', log });
    t.teardown(() => own.close());
    const node = createNode({ entries: createCacheEntries({ redis: own.commands }) });
    const healthy = createNode();
    const userId = newUser();
    await node.book.put(userId, 'c', contactFields({ name: 'before' }));
    t.same(await namesFor(node, userId), ['before']);

    proxy.setFaults({ toClient: { isSilent: true } });
    t.same(await namesFor(node, userId), ['before']);
    await t.rejects(node.book.put(userId, 'c', contactFields({ name: 'after' })), { code: 'redis_unavailable' });
    t.same(await namesFor(healthy, userId), ['before'], 'nothing was written');
    await healthy.book.put(userId, 'c', contactFields({ name: 'by another node' }));
    t.same(await namesFor(node, userId), ['by another node']);

    proxy.heal();
    const answers = async () => (await namesFor(node, userId))[0] === 'by another node';
    t.ok(await waitFor(answers, { ...soon, what: 'an answer' }));
    t.same(await namesFor(healthy, userId), ['by another node'], 'what was held up changes nothing');
  },
);

t.test('a write whose answer is lost is made once, and counts', async (t) => {
  const store = createContactStore({ db: mongo.db });
  let lost = 1;
  const unsteady: ContactStore = {
    ...store,
    async replace(current, next) {
      const outcome = await store.replace(current, next);
      if (lost-- > 0) throw new AppError('database_unavailable', { detail: 'unknown' });
      return outcome;
    },
  };
  const userId = newUser();
  const node = createNode({ store: unsteady });
  await node.book.put(userId, 'c', contactFields());
  t.match(await node.book.list(userId), { version: 1, contacts: [{ contactId: 'c' }] });
  t.same(await namesFor(createNode(), userId), ['Asha']);
});

t.test('with MongoDB away an alert has the contacts of before, from the copy', async (t) => {
  const userId = newUser();
  const node = createNode();
  await node.book.put(userId, 'c', contactFields());
  const store = createContactStore({ db: mongo.db });
  const find = async (): Promise<never> => {
    throw new AppError('database_unavailable');
  };
  const alone = createNode({ store: { ...store, find } });
  const isCopied = async () => 'found' in (await alone.lists.readOutreachList(userId, soon));
  t.ok(await waitFor(isCopied, { ...soon, what: 'the copy' }));
  t.same(await namesFor(alone, userId), ['Asha']);
  t.same(await alone.lists.readOutreachList(newUser(), soon), { missed: 'unavailable' });
});

t.test('a contact of one person does not open as that of another, nor as another contact', async (t) => {
  const contact: Contact = { contactId: 'c', ...contactFields(), isPhoneVerified: false, isEmailVerified: false };
  const sealed = seal.seal('rita', contact);
  t.same(seal.open('rita', sealed), contact);
  t.notMatch(JSON.stringify(sealed), /Asha|5555/);
  t.throws(() => seal.open('rosa', sealed), { code: 'internal' });
  t.throws(() => seal.open('rita', { ...sealed, contactId: 'd' }), { code: 'internal' });
  t.throws(() => seal.open('rita', { ...sealed, name: sealed.phone }), { code: 'internal' });
  t.equal(seal.reEncrypt('rita', sealed), undefined, 'under the current key already');
});
