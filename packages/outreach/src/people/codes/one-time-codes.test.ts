import { randomBytes } from 'node:crypto';
import type { AppError } from '@hushryd/platform/errors/app-error';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { createFakeClock } from '@hushryd/platform/testing/clock';
import { testMongo } from '@hushryd/platform/testing/engines';
import { createTestCrypto } from '@hushryd/platform/testing/field-keys';
import t from 'tap';
import { codeBudgetsCollection, createCodeBudgets } from './code-budgets.ts';
import { createChallengeStore, oneTimeCodesCollection } from './code-challenges.ts';
import { codeLimits } from './code-limits.ts';
import { createOneTimeCodes } from './one-time-codes.ts';
import { type OtpMessage, refuseOtp, type SendOtp } from './send-otp.ts';

const mongo = await testMongo(t);
await ensureCollections(mongo.db, [oneTimeCodesCollection, codeBudgetsCollection]);
const { blindIndex } = createTestCrypto();
const deadlineMs = 5_000;
const minute = 60_000;
const newName = () => randomBytes(6).toString('hex');
const newPhone = () => `+1555${String(randomBytes(4).readUInt32BE() % 10_000_000).padStart(7, '0')}`;

function createStage({ carry }: { carry?: SendOtp } = {}) {
  // TTL runs on the server's clock: what is to stay has to be of today.
  const clock = createFakeClock(Date.now());
  const sent: OtpMessage[] = [];
  const record: SendOtp = async (message) => void sent.push(message);
  const createNode = () =>
    createOneTimeCodes({
      challenges: createChallengeStore({ db: mongo.db, deadlineMs }),
      budgets: createCodeBudgets({ db: mongo.db, deadlineMs, limits: codeLimits }),
      blindIndex,
      sendOtp: carry ?? record,
      now: clock.now,
    });
  const order = {
    userId: newName(),
    subject: newName(),
    channel: 'sms' as const,
    to: newPhone(),
    locale: 'hi',
  };
  const wrongOf = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');
  return { clock, sent, codes: createNode(), other: createNode(), order, wrongOf };
}

t.test('the code that was sent is right, on any node, until it is used or ten minutes have passed', async (t) => {
  const { clock, sent, codes, other, order } = createStage();
  const reply = await codes.send(order);
  t.match(sent, [{ channel: 'sms', to: order.to, locale: 'hi', code: /^\d{6}$/ }]);
  t.match(reply, { expiresAtMs: clock.now() + 10 * minute, resendAtMs: clock.now() + 30_000 });
  const code = sent[0]?.code ?? '';

  await other.check({ ...order, code });
  await other.forget(order.subject);
  await t.rejects(codes.check({ ...order, code }), { code: 'code_expired' }, 'used');

  clock.advance(minute);
  await codes.send(order);
  clock.advance(10 * minute);
  await t.rejects(codes.check({ ...order, code: sent[1]?.code ?? '' }), { code: 'code_expired' });
});

t.test('a code proves the number that it was sent to, and the newest alone', async (t) => {
  const { clock, sent, codes, order } = createStage();
  await codes.send(order);
  await t.rejects(codes.check({ ...order, to: newPhone(), code: sent[0]?.code ?? '' }), { code: 'code_expired' });
  await t.rejects(codes.check({ ...order, subject: 'phone.nobody', code: '000000' }), { code: 'code_expired' });

  clock.advance(30_000);
  await codes.send(order);
  const [first, second] = sent.map(({ code }) => code);
  if (first !== second) await t.rejects(codes.check({ ...order, code: first ?? '' }), { code: 'code_invalid' });
  await codes.check({ ...order, code: second ?? '' });
});

t.test('five guesses, however many nodes they come to at once; then even the right one is too late', async (t) => {
  const { sent, codes, other, order, wrongOf } = createStage();
  await codes.send(order);
  const code = sent[0]?.code ?? '';
  const guesses = Array.from({ length: 12 }, (_, n) =>
    (n % 2 ? codes : other).check({ ...order, code: wrongOf(code) }),
  );
  const outcomes = (await Promise.allSettled(guesses)).map((result) =>
    result.status === 'rejected' ? (result.reason as AppError).code : 'right',
  );

  t.equal(outcomes.filter((outcome) => outcome === 'code_invalid').length, 5);
  t.equal(outcomes.filter((outcome) => outcome === 'code_locked').length, 7);
  await t.rejects(codes.check({ ...order, code }), { code: 'code_locked' });
});

t.test(
  'no second code within 30 s, five an hour, ten a day, by person and by number, also from two nodes at once',
  async (t) => {
    const { clock, sent, codes, other, order } = createStage();
    const both = await Promise.allSettled([codes.send(order), other.send(order)]);
    t.equal(both.filter(({ status }) => status === 'fulfilled').length, 1);
    t.equal(sent.length, 1);
    clock.advance(10_000);
    await t.rejects(codes.send(order), { code: 'code_limit', retryAfterMs: 20_000 });

    const sendUntilRefused = async (change: () => Partial<typeof order>) => {
      for (let count = 0; count < 20; count += 1) {
        clock.advance(31_000);
        const refused = await codes.send({ ...order, ...change() }).then(
          () => false,
          (error: AppError) => error.code === 'code_limit',
        );
        if (refused) return count;
      }
      return 20;
    };
    const byNumber = createStage();
    t.equal(await sendUntilRefused(() => ({ userId: newName(), subject: newName(), to: byNumber.order.to })), 5);
    const person = newName();
    t.equal(await sendUntilRefused(() => ({ userId: person, subject: newName(), to: newPhone() })), 5);
    clock.advance(61 * minute);
    t.equal(await sendUntilRefused(() => ({ userId: person, subject: newName(), to: newPhone() })), 5);
    clock.advance(61 * minute);
    t.equal(await sendUntilRefused(() => ({ userId: person, subject: newName(), to: newPhone() })), 0, 'ten a day');
  },
);

t.test('a code that could not be sent may be asked for again at once, and nobody learns it', async (t) => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLogger({ service: 'test', instanceId: 'test', level: 'debug', destination });
  const none = createStage({ carry: refuseOtp(log) });
  await t.rejects(none.codes.send(none.order), { code: 'code_not_sent', retryable: false });
  await t.rejects(none.codes.send(none.order), { code: 'code_not_sent' });
  t.match(lines.join(''), /no provider for one-time codes is configured/);
  t.notMatch(lines.join(''), none.order.to.slice(1));

  const broken = createStage({
    carry: async () => {
      throw new TypeError('connection reset');
    },
  });
  await t.rejects(broken.codes.send(broken.order), { code: 'code_not_sent', retryable: true });
});

t.test('neither codes nor numbers are in the database', async (t) => {
  const { sent, codes, order } = createStage();
  await codes.send(order);
  const stored = [
    ...(await mongo.db.collection('one_time_codes').find().toArray()),
    ...(await mongo.db.collection('code_budgets').find().toArray()),
  ];
  const text = JSON.stringify(stored);
  t.notMatch(text, order.to.slice(1));
  t.notMatch(text, new RegExp(`"${sent[0]?.code}"`));
});
