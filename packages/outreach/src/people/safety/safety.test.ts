import { randomBytes } from 'node:crypto';
import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { testMongo } from '@hushryd/platform/testing/engines';
import { createTestCrypto } from '@hushryd/platform/testing/field-keys';
import t from 'tap';
import { codeBudgetsCollection, createCodeBudgets } from '../codes/code-budgets.ts';
import { createChallengeStore, oneTimeCodesCollection } from '../codes/code-challenges.ts';
import { codeLimits } from '../codes/code-limits.ts';
import { createOneTimeCodes } from '../codes/one-time-codes.ts';
import { createPinHasher } from './pin-hashes.ts';
import { createPinTries, maxPinTries, pinTriesCollection } from './pin-tries.ts';
import { createSafetySettings } from './safety-settings.ts';
import { createSafetyStore, safetySettingsCollection } from './safety-store.ts';
import { createVerifyPin, type PinVerdict } from './verify-pin.ts';

const mongo = await testMongo(t);
await ensureCollections(mongo.db, [
  safetySettingsCollection,
  pinTriesCollection,
  oneTimeCodesCollection,
  codeBudgetsCollection,
]);
const { cipher, blindIndex } = createTestCrypto();
const db = mongo.db;
const deadlineMs = 5_000;
const pins = { cancel: '1234', duress: '4321' };
const newUser = () => `rider-${randomBytes(6).toString('hex')}`;

/** What one process has. */
function createNode() {
  const sent: string[] = [];
  const codes = createOneTimeCodes({
    challenges: createChallengeStore({ db, deadlineMs }),
    budgets: createCodeBudgets({ db, deadlineMs, limits: codeLimits }),
    blindIndex,
    sendOtp: async ({ code }) => void sent.push(code),
  });
  const work = {
    store: createSafetyStore({ db }),
    tries: createPinTries({ db }),
    hasher: createPinHasher({ blindIndex, cost: 1_024 }),
  };
  const verifyPin = createVerifyPin(work);
  return { sent, verifyPin, safety: createSafetySettings({ ...work, cipher, codes, verifyPin }) };
}

const [one, other] = [createNode(), createNode()];

t.test('both PINs are known on every node, and nothing else is one', async (t) => {
  const userId = newUser();
  t.match(await one.safety.read(userId), { version: 0, locale: 'en', phone: null, hasPins: false });
  t.equal(await one.verifyPin(userId, '1234'), 'wrong', 'there is none');

  t.match(await one.safety.put(userId, { pins }), { version: 1, hasPins: true });
  t.equal(await other.verifyPin(userId, '1234'), 'cancel');
  t.equal(await other.verifyPin(userId, '4321'), 'duress');
  t.equal(await other.verifyPin(userId, '12345'), 'wrong');
  t.equal(await other.verifyPin(newUser(), '1234'), 'wrong');
  await t.rejects(one.safety.put(userId, { pins: { cancel: '77', duress: '77' } }), { code: 'pins_equal' });
});

t.test(
  'five wrong PINs, on however many nodes at once; then even the right one helps nobody but an operator',
  async (t) => {
    const userId = newUser();
    await one.safety.put(userId, { pins });
    const guesses = Array.from({ length: 9 }, (_, n) => (n % 2 ? one : other).verifyPin(userId, `90${n}0`));
    const count = (verdicts: PinVerdict[], verdict: PinVerdict) => verdicts.filter((given) => given === verdict).length;
    const verdicts = await Promise.all(guesses);
    t.equal(count(verdicts, 'wrong'), maxPinTries);
    t.equal(count(verdicts, 'locked'), 9 - maxPinTries);

    t.equal(await one.verifyPin(userId, pins.cancel), 'locked');
    t.equal(await one.verifyPin(userId, pins.duress), 'locked');
    const wish = { pins: { cancel: '5678', duress: '8765', current: pins.cancel } };
    await t.rejects(one.safety.put(userId, wish), { code: 'pin_locked' });
    await other.safety.put(userId, { locale: 'hi' });
    t.equal(await one.verifyPin(userId, pins.cancel), 'locked', 'another setting gives no tries back');

    await other.safety.removePins(userId);
    t.match(await one.safety.put(userId, { pins: { cancel: '5678', duress: '8765' } }), {
      hasPins: true,
      locale: 'hi',
    });
    t.equal(await one.verifyPin(userId, '5678'), 'cancel');
  },
);

t.test('a right PIN gives the tries back, the duress PIN as well', async (t) => {
  const userId = newUser();
  await one.safety.put(userId, { pins });
  for (const right of [pins.cancel, pins.duress, pins.cancel]) {
    for (let n = 1; n < maxPinTries; n += 1) t.equal(await one.verifyPin(userId, '0000'), 'wrong');
    t.not(await other.verifyPin(userId, right), 'locked');
  }
});

t.test('PINs change only with the one that cancels; with the other it looks as if they did', async (t) => {
  const userId = newUser();
  await one.safety.put(userId, { pins });
  const next = { cancel: '5678', duress: '8765' };
  await t.rejects(one.safety.put(userId, { pins: next }), { code: 'pin_invalid' });
  await t.rejects(one.safety.put(userId, { pins: { ...next, current: '0000' } }), { code: 'pin_invalid' });

  const seen = await one.safety.put(userId, { pins: { ...next, current: pins.duress } });
  t.match(seen, { hasPins: true, version: 2 }, 'a version more, as after a change');
  t.equal(await one.verifyPin(userId, '5678'), 'wrong');
  t.equal(await one.verifyPin(userId, pins.cancel), 'cancel');

  await one.safety.put(userId, { pins: { ...next, current: pins.cancel } });
  t.equal(await one.verifyPin(userId, '5678'), 'cancel');
  t.equal(await one.verifyPin(userId, pins.cancel), 'wrong');
});

t.test('PINs count for what was before they were set or changed no more than none', async (t) => {
  const userId = newUser();
  const before = new Date(Date.now() - 1);
  await one.safety.put(userId, { pins });
  for (const pin of [pins.cancel, pins.duress]) {
    t.equal(await other.verifyPin(userId, pin, { setUntil: before }), 'late');
  }
  t.equal(await other.verifyPin(userId, '0000', { setUntil: before }), 'wrong');
  const setUntil = new Date();
  t.equal(await other.verifyPin(userId, pins.cancel, { setUntil }), 'cancel');

  await one.safety.put(userId, { locale: 'hi' });
  await one.safety.put(userId, { pins: { cancel: '5678', duress: '8765', current: pins.duress } });
  t.equal(
    await other.verifyPin(userId, pins.duress, { setUntil }),
    'duress',
    'another setting, and one that only seems to',
  );
  const next = { cancel: '5678', duress: '8765' };
  while (Date.now() <= setUntil.getTime()) await new Promise(setImmediate);
  await one.safety.put(userId, { pins: { ...next, current: pins.cancel } });
  t.equal(await other.verifyPin(userId, next.cancel, { setUntil }), 'late');

  // As they were stored before this was asked.
  await db.collection<{ _id: string }>('safety_settings').updateOne({ _id: userId }, { $unset: { 'pins.setAt': 1 } });
  t.equal(await other.verifyPin(userId, next.cancel, { setUntil: before }), 'cancel');
});

t.test('of two who set the first PINs at once, one does', async (t) => {
  const userId = newUser();
  const wishes = [pins, { cancel: '5678', duress: '8765' }];
  const outcomes = await Promise.allSettled(
    wishes.map((wish, n) => (n ? one : other).safety.put(userId, { pins: wish })),
  );
  const won = outcomes.findIndex(({ status }) => status === 'fulfilled');
  t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  t.match(outcomes[1 - won], { reason: { code: 'pin_invalid' } });
  t.equal(await one.verifyPin(userId, wishes[won]?.cancel ?? ''), 'cancel');
});

t.test('what is left out stays; another number has to be verified anew', async (t) => {
  const userId = newUser();
  await one.safety.put(userId, { pins, phone: '+15555550107' });
  await one.safety.sendCode(userId, { channel: 'sms' });
  await t.rejects(one.safety.sendCode(userId, { channel: 'email' }), { code: 'request_invalid' });
  t.match(await one.safety.checkCode(userId, one.sent[0] ?? ''), { isPhoneVerified: true, phone: '+15555550107' });
  t.match(await one.safety.put(userId, { locale: 'hi' }), { isPhoneVerified: true, hasPins: true, locale: 'hi' });
  const version = (await one.safety.read(userId)).version;
  t.match(await one.safety.put(userId, { locale: 'hi' }), { version }, 'the same again changes nothing');

  t.match(await one.safety.put(userId, { phone: '+15555550108' }), { isPhoneVerified: false });
  t.match(await one.safety.put(userId, { phone: null }), { phone: null, hasPins: true });
  await t.rejects(one.safety.sendCode(userId, { channel: 'sms' }), { code: 'not_found' });
});

t.test('neither PINs nor numbers are in the database, and equal PINs look different', async (t) => {
  const [rita, rosa] = [newUser(), newUser()];
  for (const userId of [rita, rosa]) await one.safety.put(userId, { pins, phone: '+15555550109' });
  const documents = await db
    .collection('safety_settings')
    .find({ _id: { $in: [rita, rosa] as never[] } })
    .toArray();
  t.equal(documents.length, 2);
  t.notMatch(JSON.stringify(documents), /5555550109|"1234"|"4321"/);
  t.not(documents[0]?.pins.cancel, documents[1]?.pins.cancel);
  t.not(documents[0]?.pins.cancel, documents[0]?.pins.duress);
});
