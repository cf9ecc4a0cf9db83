import { randomBytes } from 'node:crypto';
import { maxDevices } from '@hushryd/contracts/http/devices';
import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { createFakeClock } from '@hushryd/platform/testing/clock';
import { testMongo } from '@hushryd/platform/testing/engines';
import { createTestCrypto } from '@hushryd/platform/testing/field-keys';
import t from 'tap';
import { createDeviceStore, type DeviceDocument, devicesCollection } from './device-store.ts';

const mongo = await testMongo(t);
await ensureCollections(mongo.db, [devicesCollection]);
const clock = createFakeClock();
const store = createDeviceStore({ db: mongo.db, ...createTestCrypto(), now: clock.now });
const newName = () => randomBytes(6).toString('hex');
const deviceWith = (pushToken: string) => ({ platform: 'android', pushToken }) as const;
const tokensOf = async (userId: string) => (await store.pushTargets(userId)).readable.map(({ token }) => token);

t.test('a token is its last owner’s alone', async (t) => {
  const [rita, rosa, token] = [newName(), newName(), `token-${newName()}-${newName()}`];
  await store.put({ userId: rita, deviceId: 'phone' }, deviceWith(token));
  await store.put({ userId: rita, deviceId: 'phone' }, { ...deviceWith(token), locale: 'hi' });
  t.match(await store.pushTargets(rita), {
    readable: [{ deviceId: 'phone', platform: 'android', locale: 'hi', token }],
  });

  await store.put({ userId: rosa, deviceId: 'phone' }, deviceWith(token));
  t.same([await tokensOf(rita), await tokensOf(rosa)], [[], [token]]);
  await store.remove({ userId: rita, deviceId: 'phone' });
  t.same(await tokensOf(rosa), [token], 'the same id of another person is another device');
  await store.remove({ userId: rosa, deviceId: 'phone' });
  t.same(await tokensOf(rosa), []);
});

t.test('many who register one token at once: it ends with one of them', async (t) => {
  const [token, people] = [`token-${newName()}-${newName()}`, Array.from({ length: 6 }, newName)];
  await Promise.all(people.map((userId) => store.put({ userId, deviceId: 'd' }, deviceWith(token))));
  const owners = await Promise.all(people.map(tokensOf));
  t.same(owners.flat(), [token]);
});

t.test('beyond ten devices the one unheard of for the longest is forgotten', async (t) => {
  const userId = newName();
  for (let n = 0; n <= maxDevices; n += 1) {
    clock.advance(1_000);
    await store.put({ userId, deviceId: `d${n}` }, deviceWith(`token-${userId}-${n}`));
  }
  const ids = (await store.pushTargets(userId)).readable.map(({ deviceId }) => deviceId);
  t.same(
    ids,
    Array.from({ length: maxDevices }, (_, n) => `d${maxDevices - n}`),
  );
});

t.test('a dead token is removed by its hash, unless the app has registered since', async (t) => {
  const [userId, token] = [newName(), `token-${newName()}-${newName()}`];
  await store.put({ userId, deviceId: 'd' }, deviceWith(token));
  const [target] = (await store.pushTargets(userId)).readable;
  const tokenHash = target?.tokenHash ?? '';
  t.notMatch(tokenHash, token);
  const sentAt = new Date(clock.now());
  clock.advance(1_000);
  await store.put({ userId, deviceId: 'd' }, deviceWith(token));
  t.equal(await store.removeDeadToken({ tokenHash, sentAt }), false);
  t.equal(await store.removeDeadToken({ tokenHash, sentAt: new Date(clock.now()) }), true);
  t.same(await tokensOf(userId), []);
});

t.test('a token that cannot be decrypted is named, and takes nothing from the others', async (t) => {
  const userId = newName();
  for (const deviceId of ['old', 'new'])
    await store.put({ userId, deviceId }, deviceWith(`token-${userId}-${deviceId}`));
  const devices = mongo.db.collection<DeviceDocument>('devices');
  // Sealed for another place.
  const token = (await devices.findOne({ userId, deviceId: 'new' }))?.token ?? '';
  await devices.updateOne({ userId, deviceId: 'old' }, { $set: { token } });

  t.match(await store.pushTargets(userId), {
    readable: [{ deviceId: 'new', token: `token-${userId}-new` }],
    unreadable: [{ deviceId: 'old', error: { code: 'internal' } }],
  });
});

t.test('no token is in the database', async (t) => {
  const token = `token-${newName()}-${newName()}`;
  await store.put({ userId: newName(), deviceId: 'd' }, deviceWith(token));
  t.notMatch(JSON.stringify(await mongo.db.collection('devices').find().toArray()), token);
});
