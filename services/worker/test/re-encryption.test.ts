import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { NotificationDocument } from '@hushryd/outreach/notifications/notification-document';
import { notificationsCollection } from '@hushryd/outreach/notifications/notification-store';
import { openWords, sealWords } from '@hushryd/outreach/notifications/sealed-words';
import { createFieldCipher } from '@hushryd/platform/crypto/field-cipher';
import { toFieldKeys } from '@hushryd/platform/crypto/field-keys';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { startService } from '@hushryd/platform/testing/service-process';
import t from 'tap';

const redis = await testRedis(t);
const mongo = await testMongo(t);
const main = fileURLToPath(new URL('../dist/re-encryption/main.js', import.meta.url));
const key = () => randomBytes(32).toString('base64');
const [old, fresh, indexKey] = [key(), key(), key()];
const keysWith = (keys: object, current: string) => ({
  FIELD_KEYS: JSON.stringify(keys),
  FIELD_KEY_CURRENT: current,
  BLIND_INDEX_KEY: indexKey,
});
const variables = {
  ...redis.variables,
  MONGODB_URL: mongo.url,
  MONGODB_DATABASE: mongo.database,
  MONGODB_MIN_POOL_SIZE: '0',
};
const rotating = { ...variables, ...keysWith({ old, fresh }, 'fresh') };

/** Runs the command to its end. */
function run(env: Record<string, string>, ...args: string[]) {
  return new Promise<{ code: number; out: string }>((resolve) => {
    execFile(process.execPath, [main, ...args], { env, timeout: 120_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code);
      resolve({ code, out: `${stdout}${stderr}` });
    });
  });
}

const notifications = mongo.db.collection<NotificationDocument>(notificationsCollection.name);
const count = 600;
const words = (n: number) => ({ to: `+1555${String(n).padStart(7, '0')}`, variables: { person: 'Asha' } });
const recordId = (n: number) => `record-${String(n).padStart(5, '0')}`;

t.test('a key is rotated: killed half-way, run again, and the key before it is not needed any more', async (t) => {
  const before = createFieldCipher(toFieldKeys(keysWith({ old }, 'old')));
  await notifications.insertMany(
    Array.from({ length: count }, (_, n) => {
      const sealed = sealWords(before, recordId(n), words(n));
      return { _id: recordId(n), template: 'ride_ended', locale: 'en', sealed } as NotificationDocument;
    }),
  );
  const isOld = { sealed: /^old\./ };

  const dry = await run(rotating, '--dry-run');
  t.match(dry, { code: 4, out: /600 documents to be written anew, 0 that no key opens/ });
  t.equal(await notifications.countDocuments(isOld), count, 'a dry run writes nothing');

  const killed = await startService(t, {
    name: 're-encryption',
    main,
    env: rotating,
    ready: 'notifications: 200 seen, 200 written anew',
  });
  await killed.kill9();
  const left = await notifications.countDocuments(isOld);
  t.ok(left > 0 && left <= count - 200, `${left} are left`);

  t.match(await run(rotating), { code: 0, out: /Everything is under fresh/ });
  t.equal(await notifications.countDocuments(isOld), 0);
  const after = createFieldCipher(toFieldKeys(keysWith({ fresh }, 'fresh')));
  const records = await notifications.find().sort({ _id: 1 }).toArray();
  t.same(
    records.map((record) => openWords(after, record).to),
    Array.from({ length: count }, (_, n) => words(n).to),
  );
  t.match(await run({ ...variables, ...keysWith({ fresh }, 'fresh') }, '--dry-run'), { code: 0 });
});

t.test('an older key that left too early is named, and what is not understood changes nothing', async (t) => {
  const lost = createFieldCipher(toFieldKeys(keysWith({ lost: key() }, 'lost')));
  const sealed = sealWords(lost, 'lost', words(0));
  await notifications.insertOne({ _id: 'lost', template: 'ride_ended', locale: 'en', sealed } as NotificationDocument);

  t.match(await run(rotating), { code: 3, out: /No key opens lost in notifications/ });
  t.match(await run(rotating, '--now'), { code: 2, out: /--help/ });
  t.match(await run({ ...rotating, FIELD_KEY_CURRENT: 'other' }), { code: 2, out: /FIELD_KEY_CURRENT names other/ });
});
