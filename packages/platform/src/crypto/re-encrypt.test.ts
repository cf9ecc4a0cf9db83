import { randomBytes } from 'node:crypto';
import t from 'tap';
import { testMongo } from '../testing/engines.ts';
import { createFieldCipher } from './field-cipher.ts';
import { toFieldKeys } from './field-keys.ts';
import { type ReEncryptProgress, reEncryptCollection } from './re-encrypt.ts';

interface Person {
  _id: string;
  version: number;
  phone: string;
  note?: string;
}

const key = () => randomBytes(32).toString('base64');
const old = key();
const fresh = key();
const indexKey = key();
const cipherOf = (keys: object, current: string) =>
  createFieldCipher(
    toFieldKeys({ FIELD_KEYS: JSON.stringify(keys), FIELD_KEY_CURRENT: current, BLIND_INDEX_KEY: indexKey }),
  );
const before = cipherOf({ old }, 'old');
const during = cipherOf({ old, fresh }, 'fresh');
const after = cipherOf({ fresh }, 'fresh');
const placeOf = (id: string) => ({ collection: 'people', id, field: 'phone' });
const idOf = (n: number) => `person-${String(n).padStart(4, '0')}`;
const count = 45;
const pageSize = 20;

function rewrite({ _id, phone }: Person): Partial<Person> | undefined {
  return during.isCurrent(phone) ? undefined : { phone: during.reEncrypt(phone, placeOf(_id)) };
}

const mongo = await testMongo(t);
const people = mongo.db.collection<Person>('people');
t.beforeEach(async () => {
  await people.deleteMany({});
  await people.insertMany(
    Array.from({ length: count }, (_, n) => ({
      _id: idOf(n),
      version: 1,
      phone: before.encrypt(`number ${n}`, placeOf(idOf(n))),
    })),
  );
});

t.test('interrupted after a page it goes on there, and in the end the old key is not needed', async (t) => {
  const pages: ReEncryptProgress[] = [];
  const interrupted = reEncryptCollection({
    collection: people,
    rewrite,
    isVersioned: true,
    pageSize,
    onPage: (progress) => {
      pages.push(progress);
      if (pages.length === 2) throw new Error('killed');
    },
  });
  await t.rejects(interrupted, { message: 'killed' });
  t.match(pages.at(-1), { seen: 40, changed: 40, after: idOf(39) });

  const rest = await reEncryptCollection({ collection: people, rewrite, isVersioned: true, pageSize, after: idOf(39) });
  t.same(rest, { seen: 5, changed: 5, unreadable: 0, after: idOf(44) });
  const again = await reEncryptCollection({ collection: people, rewrite, pageSize });
  t.match(again, { seen: count, changed: 0 }, 'a whole run finds nothing: done');

  for (const person of await people.find().toArray()) {
    t.equal(person.version, 2);
    t.equal(after.decrypt(person.phone, placeOf(person._id)), `number ${Number(person._id.slice(7))}`);
  }
});

t.test('what is changed or removed meanwhile is kept as it was changed', async (t) => {
  const written: string[] = [];
  const progress = await reEncryptCollection({
    collection: people,
    pageSize,
    isVersioned: true,
    rewrite: (person) => (person.note === 'changed' ? undefined : rewrite(person)),
    async onWritten({ _id }) {
      written.push(_id);
      if (_id !== idOf(0)) return;
      await people.updateOne({ _id: idOf(1) }, { $set: { note: 'changed' }, $inc: { version: 1 } });
      await people.deleteOne({ _id: idOf(2) });
    },
  });

  t.match(progress, { seen: count, changed: count - 2 });
  t.equal(written.length, count - 2);
  t.match(await people.findOne({ _id: idOf(1) }), { note: 'changed', version: 2 });
  t.equal(await people.findOne({ _id: idOf(2) }), null);
});

t.test(
  'without versions, a field is written where it still is what was read, and what changes beside it stays',
  async (t) => {
    let isFirst = true;
    const progress = await reEncryptCollection({
      collection: people,
      pageSize,
      rewrite,
      async onWritten() {
        if (!isFirst) return;
        isFirst = false;
        // The page was read before both.
        await people.updateOne({ _id: idOf(1) }, { $set: { note: 'beside' } });
        await people.updateOne({ _id: idOf(2) }, { $set: { phone: during.encrypt('another', placeOf(idOf(2))) } });
      },
    });

    t.match(progress, { seen: count, changed: count - 1 });
    const [beside, changed] = [await people.findOne({ _id: idOf(1) }), await people.findOne({ _id: idOf(2) })];
    t.match(beside, { note: 'beside', version: 1 });
    t.equal(after.decrypt(beside?.phone ?? '', placeOf(idOf(1))), 'number 1');
    t.equal(after.decrypt(changed?.phone ?? '', placeOf(idOf(2))), 'another');
  },
);

t.test('a dry run writes nothing; what no key opens is named and left, or ends the run', async (t) => {
  await people.updateOne({ _id: idOf(3) }, { $set: { phone: `lost.${'A'.repeat(40)}` } });
  const unreadable: string[] = [];
  const onUnreadable = (id: string) => void unreadable.push(id);

  const dry = await reEncryptCollection({ collection: people, rewrite, pageSize, isDryRun: true, onUnreadable });
  t.match(dry, { seen: count, changed: count - 1, unreadable: 1 });
  t.equal(await people.countDocuments({ phone: /^old\./ }), count - 1);
  t.same(unreadable, [idOf(3)]);

  await t.rejects(reEncryptCollection({ collection: people, rewrite, pageSize }), { code: 'internal' });
});
