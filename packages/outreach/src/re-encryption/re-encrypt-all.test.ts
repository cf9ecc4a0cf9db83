import { randomBytes } from 'node:crypto';
import { createBlindIndex } from '@hushryd/platform/crypto/blind-index';
import { createFieldCipher, type FieldCipher } from '@hushryd/platform/crypto/field-cipher';
import { toFieldKeys } from '@hushryd/platform/crypto/field-keys';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import t from 'tap';
import { type AlertDocument, type AlertFact, alertsCollection } from '../alerts/alert-document.ts';
import { openFactText, sealFactText } from '../alerts/fact-text.ts';
import { createNoteSealer } from '../alerts/seal-notes.ts';
import type { NotificationDocument } from '../notifications/notification-document.ts';
import { notificationsCollection } from '../notifications/notification-store.ts';
import { openWords, sealWords } from '../notifications/sealed-words.ts';
import { createCacheEntries } from '../people/cache/cache-entries.ts';
import { createContactBook } from '../people/contacts/contact-book.ts';
import { createContactSeal } from '../people/contacts/contact-seal.ts';
import { type ContactsDocument, createContactStore } from '../people/contacts/contact-store.ts';
import { createOutreachLists } from '../people/contacts/outreach-lists.ts';
import { createDeviceStore } from '../people/devices/device-store.ts';
import { createPersonSeal, type RotaDocument } from '../people/on-call/on-call-document.ts';
import { createOnCallReader } from '../people/on-call/on-call-reader.ts';
import { createOnCallRota } from '../people/on-call/on-call-rota.ts';
import { peopleCollections } from '../people/people-collections.ts';
import { createSafetyStore } from '../people/safety/safety-store.ts';
import { createVersionedStore } from '../people/versioned/versioned-store.ts';
import { type SealedFact, timelineCollection } from '../timeline/timeline-document.ts';
import { reEncryptAll } from './re-encrypt-all.ts';
import { listSealedCollections } from './sealed-collections.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'error' });
const settings = (await testRedis(t)).settings();
const connections = await connectRedis({ settings, role: 'live', log });
t.teardown(() => connections.close());
const { db } = await testMongo(t);
await ensureCollections(db, [...peopleCollections, alertsCollection, timelineCollection, notificationsCollection]);
const alerts = db.collection<AlertDocument>(alertsCollection.name);
const timeline = db.collection<SealedFact>(timelineCollection.name);
const notifications = db.collection<NotificationDocument>(notificationsCollection.name);

const key = () => randomBytes(32).toString('base64');
const [old, fresh, indexKey] = [key(), key(), key()];
const keysWith = (keys: object, current: string) =>
  toFieldKeys({ FIELD_KEYS: JSON.stringify(keys), FIELD_KEY_CURRENT: current, BLIND_INDEX_KEY: indexKey });
const blindIndex = createBlindIndex(keysWith({ old }, 'old'));
const soon = { withinMs: 20_000 };

function openWith(cipher: FieldCipher) {
  const parts = { entries: createCacheEntries({ redis: connections.commands }), keys: createKeys(settings), log };
  const store = createContactStore({ db });
  const seal = createContactSeal(cipher);
  const contacts = createOutreachLists({ ...parts, store });
  const rotaParts = {
    store: createVersionedStore<RotaDocument>({ db, name: 'on_call', deadlineMs: 5_000 }),
    seal: createPersonSeal(cipher),
  };
  const onCall = createOnCallReader({ ...parts, ...rotaParts });
  return {
    seal,
    copies: { contacts, onCall },
    book: createContactBook({ store, seal, copies: contacts }),
    rota: createOnCallRota({ ...rotaParts, copies: onCall }),
    devices: createDeviceStore({ db, cipher, blindIndex }),
  };
}

t.test('after a run everything is read without the older key, from the cache as well', async (t) => {
  const before = createFieldCipher(keysWith({ old }, 'old'));
  const during = createFieldCipher(keysWith({ old, fresh }, 'fresh'));
  const after = createFieldCipher(keysWith({ fresh }, 'fresh'));
  const first = openWith(before);
  const contact = { name: 'Asha', phone: '+15555550101', locale: 'en', channels: ['sms' as const] };
  await first.book.put('rita', 'c', contact);
  await first.book.put('rita', 'd', { ...contact, email: 'asha@example.com', relation: 'sister' });
  await first.devices.put({ userId: 'rita', deviceId: 'phone' }, { platform: 'web', pushToken: 'token-of-the-phone' });
  const place = { collection: 'safety_settings', id: 'rita', field: 'phone' };
  const phone = before.encrypt('+15555550102', place);
  const document = { _id: 'rita', version: 1, changedAt: new Date(), locale: 'en', isPhoneVerified: true, phone };
  await createSafetyStore({ db }).replace(null, document);
  const shift = { days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', until: '24:00', personIds: ['dana'] };
  const people = [
    { personId: 'dana', name: 'Dana', phone: '+15555550121', locale: 'en', channels: ['voice' as const] },
  ];
  await first.rota.put({ version: 0, timeZone: 'UTC', people, levels: [{ name: 'first', shifts: [shift] }] });
  await first.copies.contacts.readOutreachList('rita', soon);

  await alerts.insertOne(alertSealedBy(before, await createContactStore({ db }).find('rita')));
  const sealedFact = alertSealedBy(before, null).facts[1] as AlertFact;
  await timeline.insertOne({ ...sealedFact, _id: 'alert:sealed', alertId: 'alert', seq: 1, previous: '', hash: '' });
  const words = { to: '+15555550103', variables: { person: 'Asha' } };
  const sealed = sealWords(before, 'record', words);
  await notifications.insertOne({
    _id: 'record',
    template: 'ride_ended',
    locale: 'en',
    sealed,
  } as NotificationDocument);

  const pages: string[] = [];
  const onPage = ({ collection }: { collection: string }) => void pages.push(collection);
  const collections = listSealedCollections({ db, cipher: during, copies: openWith(during).copies });
  const run = (isDryRun = false) => reEncryptAll({ collections, isDryRun, onPage });
  t.same(await run(true), { changed: 7, unreadable: 0, isComplete: false });
  t.same(await run(), { changed: 7, unreadable: 0, isComplete: true });
  const names = [
    'emergency_contacts',
    'safety_settings',
    'devices',
    'on_call',
    'alerts',
    'alert_timeline',
    'notifications',
  ];
  t.same(pages, [...names, ...names, ...names], 'the dry run, and two looks of the real one');
  t.same(await run(), { changed: 0, unreadable: 0, isComplete: true }, 'a second run finds nothing');

  const last = openWith(after);
  t.match(await last.book.list('rita'), { version: 3, contacts: [contact, { email: 'asha@example.com' }] });
  const read = await last.copies.contacts.readOutreachList('rita', soon);
  t.ok('found' in read);
  if ('found' in read)
    t.same(
      read.found.contacts.map((one) => last.seal.open('rita', one).name),
      ['Asha', 'Asha'],
    );
  t.match(await last.devices.pushTargets('rita'), { readable: [{ token: 'token-of-the-phone' }] });
  const stored = await createSafetyStore({ db }).find('rita');
  t.equal(after.decrypt(stored?.phone ?? '', place), '+15555550102');
  t.match(await last.copies.onCall.readOnCall({ atMs: Date.now(), ...soon }), { levels: [[{ name: 'Dana' }]] });
  const alert = await alerts.findOne({ _id: 'alert' });
  const notes = createNoteSealer(after);
  const inTimeline = await timeline.findOne({ alertId: 'alert' });
  const texts = [alert?.note, alert?.closeReason, alert?.facts[1]?.text, inTimeline?.text].map(
    (text) => text && openFactText(notes, text, { personId: 'rita' }).text,
  );
  t.same(texts, ['help', 'found', 'called her', 'called her']);
  t.equal(inTimeline?.text?.digest, sealedFact.text?.digest, 'what its chain is made of is as it was');
  t.match(
    alert,
    { version: 1, facts: [{ factId: 'raised' }, { factId: 'note', by: 'olga' }] },
    'nothing else of it changes',
  );
  t.same(
    alert?.contacts.map((one) => last.seal.open('rita', one).name),
    ['Asha', 'Asha'],
  );
  const notification = await notifications.findOne({ _id: 'record' });
  if (notification !== null) t.match(openWords(after, notification), words);
});

t.test('somebody who goes on under the older key is found out, and so is what no key opens', async (t) => {
  const before = createFieldCipher(keysWith({ old }, 'old'));
  const during = createFieldCipher(keysWith({ old, fresh }, 'fresh'));
  const after = createFieldCipher(keysWith({ fresh }, 'fresh'));
  const words = { to: '+15555550103', variables: {} };
  const write = () =>
    notifications.updateOne({ _id: 'busy' }, { $set: { sealed: sealWords(before, 'busy', words) } }, { upsert: true });
  await write();
  const collections = listSealedCollections({ db, cipher: during, copies: openWith(during).copies });
  const busy = reEncryptAll({ collections, isDryRun: false, onPage: write });
  t.match(await busy, { isComplete: false });

  const unreadable: object[] = [];
  const without = listSealedCollections({ db, cipher: after, copies: openWith(after).copies });
  const onUnreadable = (document: object) => void unreadable.push(document);
  t.match(await reEncryptAll({ collections: without, isDryRun: false, onUnreadable }), { unreadable: 1 });
  t.same(unreadable, [{ collection: 'notifications', id: 'busy' }]);
});

/** As far as keys matter. */
function alertSealedBy(cipher: FieldCipher, contacts: ContactsDocument | null): AlertDocument {
  const sealer = createNoteSealer(cipher);
  const seal = (text: string) => sealFactText(sealer, text, { personId: 'rita' });
  const at = new Date();
  return {
    _id: 'alert',
    open: false,
    version: 1,
    person: { userId: 'rita', role: 'rider' },
    triggerIds: ['alert'],
    contacts: contacts?.contacts ?? [],
    note: seal('help'),
    closeReason: seal('found'),
    facts: [
      { factId: 'raised', kind: 'raised', at, data: { location: { lat: 12.5, lng: 77.25 } } },
      { factId: 'note', kind: 'note', by: 'olga', at, text: seal('called her') },
    ],
  } as unknown as AlertDocument;
}
