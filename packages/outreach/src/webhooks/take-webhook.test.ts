import { randomUUID } from 'node:crypto';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { testMongo } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { signForMailgun } from '@hushryd/providers/receipts/mailgun-receipts';
import type { Receipt } from '@hushryd/providers/receipts/receipt';
import { signForMeta } from '@hushryd/providers/receipts/whatsapp-receipts';
import t from 'tap';
import { createWebhookDesk, type TakeReceipt } from './take-webhook.ts';
import { createWebhookStore, webhookEventsCollection } from './webhook-store.ts';

const mongo = await testMongo(t);
await ensureCollections(mongo.db, [webhookEventsCollection]);
const store = createWebhookStore({ db: mongo.db });
const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const withinMs = 20_000;
const appSecret = 'app-secret';
const mailgunKey = 'signing-key';

const openDesk = (take: TakeReceipt) =>
  createWebhookDesk({
    keys: {
      path: [],
      twilio: [],
      sendgrid: [],
      mailgun: [mailgunKey],
      whatsapp: [appSecret],
      whatsappVerifyTokens: [],
    },
    store,
    takers: [take],
    telemetry: createTelemetry({ service: 'test', instanceId: randomUUID(), withProcessMetrics: false }),
    log,
  });

const receiptOf = (providerMessageId: string, changes: Partial<Receipt> = {}): Receipt => ({
  provider: 'twilio-voice',
  providerMessageId,
  status: 'answered',
  atMs: Date.now(),
  eventId: randomUUID(),
  ...changes,
});

function toRequest(told: readonly { id: string; status: string }[]) {
  const statuses = told.map((one) => ({ ...one, timestamp: '1772323200' }));
  const rawBody = Buffer.from(JSON.stringify({ entry: [{ changes: [{ value: { statuses } }] }] }));
  const headers = { 'x-hub-signature-256': signForMeta(appSecret, rawBody) };
  return { method: 'POST', url: 'https://example.test/v1/webhooks/whatsapp-cloud', headers, rawBody };
}

t.test('news of one message waits for no other message, and has its effect in order', async (t) => {
  const [slow, quick] = [randomUUID(), randomUUID()];
  const taken: string[] = [];
  const desk = openDesk(async ({ providerMessageId, status }) => {
    if (providerMessageId === slow && status === 'sent') {
      await waitFor(() => taken.includes('quick read'), { withinMs, what: 'news of the other message' });
    }
    taken.push(`${providerMessageId === slow ? 'slow' : 'quick'} ${status}`);
    return true;
  });

  const statuses = ['sent', 'delivered', 'read'];
  const told = [slow, quick].flatMap((id) => statuses.map((status) => ({ id, status })));
  await desk.take({ provider: 'whatsapp-cloud', request: toRequest(told) });

  for (const name of ['slow', 'quick']) {
    t.same(
      taken.filter((one) => one.startsWith(name)),
      statuses.map((status) => `${name} ${status}`),
    );
  }
});

t.test(
  'nothing is said with a signature of Mailgun that was seen before, not even while it has had no effect',
  async (t) => {
    const taken: Receipt[] = [];
    let isAway = true;
    const desk = openDesk(async (receipt) => {
      if (isAway) throw new Error('the database is away');
      taken.push(receipt);
      return true;
    });
    const timestamp = String(Math.floor(Date.now() / 1_000));
    const token = randomUUID();
    const signature = { timestamp, token, signature: signForMailgun({ key: mailgunKey, timestamp, token }) };
    const say = (event: string, attemptId: string) => {
      const data = {
        ...{ id: randomUUID(), event, message: { headers: { 'message-id': `${attemptId}@x` } } },
        'user-variables': { attempt_id: attemptId },
      };
      const rawBody = Buffer.from(JSON.stringify({ signature, 'event-data': data }));
      const request = { method: 'POST', url: 'https://example.test/v1/webhooks/mailgun', headers: {}, rawBody };
      return desk.take({ provider: 'mailgun', request });
    };

    await say('accepted', 'own');
    isAway = false;
    await say('delivered', 'forged');
    await say('delivered', 'forged');

    t.match(taken, [{ attemptId: 'own', status: 'accepted' }]);
    t.equal(taken.length, 1);
  },
);

t.test('keys that were pressed wait for nothing that was kept before, and what is under way is bounded', async (t) => {
  const before = Array.from({ length: 40 }, () => receiptOf(randomUUID(), { status: 'ringing' }));
  const pressed = receiptOf(randomUUID(), { digits: '1' });
  for (const receipt of [...before, pressed]) await store.keep(receipt, Date.now() - 60_000);
  const taken: Receipt[] = [];
  let [underWay, most] = [0, 0];
  const isPressed = () => taken.some(({ digits }) => digits !== undefined);
  const keys = waitFor(isPressed, { withinMs, what: 'the keys' });
  const desk = openDesk(async (receipt) => {
    most = Math.max(most, ++underWay);
    if (receipt.digits === undefined) await keys;
    taken.push(receipt);
    underWay -= 1;
    return true;
  });

  await desk.retryPending();

  t.equal(taken.length, 41);
  t.ok(most > 1 && most <= 16, `${most} at once`);
  t.same(await store.findPending({ beforeMs: Date.now(), limit: 1 }), []);
});
