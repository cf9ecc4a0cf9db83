import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { TestScope } from '@hushryd/platform/testing/engines';
import { waitFor, within } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { type SandboxOptions, startSandbox } from '../src/sandbox/start-sandbox.ts';
import { openProviders } from './conformance/provider-cases.ts';
import { startListener } from './start-listener.ts';

const withinMs = 20_000;
const to = '+919845012345';
let attempts = 0;

async function open(t: TestScope, options: SandboxOptions = {}) {
  const sandbox = await startSandbox({ receiptDelayMs: 5, ...options });
  const providers = openProviders(sandbox.environment);
  t.teardown(async () => {
    await providers.close();
    await sandbox.close();
  });
  const ask = (method: string, path: string, body?: unknown) =>
    fetch(`${sandbox.url}${path}`, {
      method,
      ...(method !== 'GET' && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) }),
    });
  const [sms] = providers.sms;
  const [voice] = providers.voice;
  if (sms === undefined || voice === undefined) throw new Error('Twilio is not set up');
  const context = (receiptUrl?: string) => {
    attempts += 1;
    return { attemptId: `attempt-${attempts}`, receiptUrl, deadlineMs: 10_000 };
  };
  return { sandbox, providers, ask, sms, voice, context };
}

/** Whoever is asked about calls, and what it answers. */
async function startObserver(t: TestScope, answer: (call: { attemptId: string }) => Promise<number> | number) {
  const asked: { attemptId: string; recipient: string; providerMessageId: string }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const call = JSON.parse(Buffer.concat(chunks).toString());
    asked.push(call);
    response.writeHead(await answer(call)).end('not stored');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

t.test('messages are listed, filtered and waited for', async (t) => {
  const { ask, sms, context } = await open(t);
  const waiting = ask('GET', `/sandbox/messages/next?recipient=${encodeURIComponent(to)}&timeoutMs=20000`);
  await sms.send({ to, text: 'first' }, context());
  await sms.send({ to: '+919845012346', text: 'second' }, context());

  const next = (await (await waiting).json()) as { content: { text: string } };
  const list = (await (await ask('GET', '/sandbox/messages?channel=sms&since=1')).json()) as {
    messages: object[];
    lastSeq: number;
  };

  t.equal(next.content.text, 'first');
  t.match(list, { lastSeq: 2, messages: [{ seq: 2, content: { text: 'second' } }] });
  t.equal(list.messages.length, 1);
  t.equal((await ask('GET', '/sandbox/messages/next?since=2&timeoutMs=50')).status, 204, 'none came');
});

t.test('faults are set for the next calls, listed and cleared', async (t) => {
  const { ask, sms, context } = await open(t);
  const fault = { provider: 'twilio-sms', mode: '500', count: 2 };
  t.equal((await ask('PUT', '/sandbox/faults', fault)).status, 204);

  const outcomes = [];
  for (let call = 0; call < 3; call += 1) outcomes.push((await sms.send({ to, text: 'x' }, context())).kind);

  t.same(outcomes, ['failed', 'failed', 'accepted']);
  await ask('PUT', '/sandbox/faults', { ...fault, probability: 0 });
  t.match(await (await ask('GET', '/sandbox/faults')).json(), { faults: [{ mode: '500', count: 2, probability: 0 }] });
  t.equal((await sms.send({ to, text: 'x' }, context())).kind, 'accepted', 'with a probability of 0 it never happens');
  await ask('DELETE', '/sandbox/faults?provider=twilio-sms');
  t.same(await (await ask('GET', '/sandbox/faults')).json(), { faults: [] });
  t.equal((await ask('PUT', '/sandbox/faults', { provider: 'twilio-sms', mode: 'nonsense' })).status, 400);
  t.equal((await ask('PUT', '/sandbox/faults', { ...fault, typo: 1 })).status, 400);
});

t.test('the observer is asked before a call is answered, and what it refuses is kept', async (t) => {
  let agree = (): void => undefined;
  const agreed = new Promise<void>((resolve) => {
    agree = resolve;
  });
  const observer = await startObserver(t, async ({ attemptId }) => {
    await agreed;
    return attemptId.endsWith('bad') ? 409 : 204;
  });
  const { sandbox, sms } = await open(t, { observerUrl: observer.url });
  let isAnswered = false;
  const good = sms.send(
    { to, text: 'x' },
    { attemptId: 'a-good', receiptUrl: 'http://127.0.0.1:9/w/twilio-sms/a-good/mac' },
  );
  void good.then(() => {
    isAnswered = true;
  });
  await waitFor(() => observer.asked.length === 1, { withinMs, what: 'the question' });
  t.notOk(isAnswered, 'the call waits for the observer');
  agree();
  const bad = sms.send(
    { to, text: 'x' },
    { attemptId: 'a-bad', receiptUrl: 'http://127.0.0.1:9/w/twilio-sms/a-bad/mac' },
  );

  t.match(await good, { kind: 'accepted', providerMessageId: observer.asked[0]?.providerMessageId });
  t.match(await bad, { kind: 'accepted' });
  t.match(observer.asked[0], { provider: 'twilio-sms', channel: 'sms', recipient: to, attemptId: 'a-good' });
  t.match(sandbox.stats().observer, {
    asked: 2,
    refused: 1,
    refusals: [{ call: { attemptId: 'a-bad' }, reason: /^409/ }],
  });
});

t.test(
  'the observer is asked about calls that a fault then refuses, and one that is away has not agreed',
  async (t) => {
    const observer = await startObserver(t, () => 409);
    const { sandbox, sms, context } = await open(t, { observerUrl: observer.url });
    sandbox.faults.set({ provider: 'twilio-sms', mode: '500' });
    await sms.send({ to, text: 'x' }, context());
    t.match(sandbox.stats().observer, { asked: 1, refused: 1 });

    const away = await open(t, { observerUrl: 'http://127.0.0.1:9/' });
    await away.sms.send({ to, text: 'x' }, away.context());
    t.match(away.sandbox.stats().observer, { asked: 1, refused: 1, refusals: [{ reason: /^no answer/ }] });
  },
);

t.test('only so many messages are kept; the oldest go, counted', async (t) => {
  const { sandbox, sms, context } = await open(t, { maxMessages: 3 });
  for (let count = 1; count <= 5; count += 1) await sms.send({ to, text: `number ${count}` }, context());

  t.same(
    sandbox.messages.list().map(({ content }) => content.text),
    ['number 3', 'number 4', 'number 5'],
  );
  t.match(sandbox.stats().messages, { kept: 3, dropped: 2, lastSeq: 5 });
});

t.test('somebody takes a call, presses keys, declines or does not hear it', async (t) => {
  const listener = await startListener(t, { keys: () => providers.webhookKeys });
  const { sandbox, providers, ask, voice, context } = await open(t, { webhookBaseUrl: listener.baseUrl });
  const call = async (ringSeconds = 30) => {
    const receiptUrl = `${listener.baseUrl}/twilio-voice/x/y`;
    const gather = { digitsUrl: `${receiptUrl}/digits`, maxDigits: 1 };
    const outcome = await voice.send(
      { to, sayText: 'Press 1', language: 'en-IN', gather, ringSeconds },
      context(receiptUrl),
    );
    return outcome.kind === 'accepted' ? outcome.providerMessageId : '';
  };
  const told = (id: string, status: string) =>
    listener.waitFor((receipt) => receipt.providerMessageId === id && receipt.status === status, {
      withinMs,
      what: `${status}`,
    });

  const taken = await call();
  t.match(await (await ask('POST', `/sandbox/messages/${taken}/answer`)).json(), {
    call: { state: 'answered', said: ['Press 1'], canPress: true },
  });
  t.equal((await ask('POST', `/sandbox/messages/${taken}/answer`)).status, 409, 'it rings no more');
  t.match(await (await ask('POST', `/sandbox/messages/${taken}/press`, { digits: '1' })).json(), {
    call: { state: 'completed', digits: ['1'], said: ['Press 1', 'Thank you.'] },
  });
  t.match(
    listener.receipts.find(({ digits }) => digits === '1'),
    { provider: 'twilio-voice', providerMessageId: taken },
  );
  await told(taken, 'completed');

  const declined = await call();
  await ask('POST', `/sandbox/messages/${declined}/decline`);
  await told(declined, 'busy');
  const unheard = await call(1);
  await told(unheard, 'no-answer');
  t.equal(sandbox.messages.get(unheard)?.call?.state, 'no-answer');
  t.equal((await ask('POST', '/sandbox/messages/CAnone/answer')).status, 409);
  t.equal((await ask('POST', `/sandbox/messages/${taken}/press`)).status, 400, 'without saying which');
});

t.test('a message that is opened is told as read, by vendors that tell it', async (t) => {
  const listener = await startListener(t, { keys: () => providers.webhookKeys });
  const { providers, ask, context } = await open(t, { webhookBaseUrl: listener.baseUrl });
  const template = { name: 'sos', languageCode: 'en', bodyParameters: ['Asha'] };
  const outcome = await providers.whatsapp[0]?.send({ to, template }, context());
  const id = outcome?.kind === 'accepted' ? outcome.providerMessageId : '';

  await ask('POST', `/sandbox/messages/${encodeURIComponent(id)}/read`);

  t.match(await listener.waitFor(({ status }) => status === 'read', { withinMs, what: 'the receipt' }), {
    providerMessageId: id,
  });
});

t.test('receipts are repeated until they are taken', async (t) => {
  let calls = 0;
  const server = createServer((_, response) => {
    calls += 1;
    response.writeHead(calls === 1 ? 503 : 204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => void server.close());
  const { sandbox, sms, context } = await open(t);

  await sms.send({ to, text: 'x' }, context(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`));

  await waitFor(() => sandbox.stats().receipts.sent === 3, { withinMs, what: 'all receipts' });
  t.match(sandbox.stats().receipts, { sent: 3, repeated: 1, failed: 0 });
});

t.test('many receipts wait at the same time and nothing is warned of; a reset ends them', async (t) => {
  const warnings: string[] = [];
  const onWarning = (warning: Error) => void warnings.push(String(warning));
  process.on('warning', onWarning);
  t.teardown(() => process.off('warning', onWarning));
  const sandbox = await startSandbox({ receiptDelayMs: 60_000 });
  const providers = openProviders(sandbox.environment);
  t.teardown(() => providers.close());
  const send = (n: number) =>
    providers.sms[0]?.send(
      { to, text: 'many' },
      { attemptId: `many-${n}`, receiptUrl: 'http://127.0.0.1:9/', deadlineMs: 10_000 },
    );

  await Promise.all(Array.from({ length: 12 }, (_, n) => send(n)));
  // Warnings are told in a later turn.
  await new Promise((resolve) => setImmediate(resolve));
  sandbox.reset();
  await within(sandbox.close(), { withinMs, what: 'the end of a sandbox whose receipts waited for a minute' });

  t.same(warnings, []);
  t.match(sandbox.stats().receipts, { sent: 0, repeated: 0, failed: 0 });
});

t.test('a token that Google ended early is replaced without anybody noticing', async (t) => {
  const { sandbox, ask, providers, context } = await open(t);
  const push = () => providers.push[0]?.send({ token: 'token-1', title: 'x', body: 'x', data: {} }, context());
  t.match(await push(), { kind: 'accepted' });

  await ask('POST', '/sandbox/google-tokens/revoke');

  t.match(await push(), { kind: 'accepted' });
  t.match(sandbox.stats().providers.fcm, { calls: 3, accepted: 2, refused: 1 });
});

t.test('push carries what wakes phones of either kind', async (t) => {
  const { sandbox, providers, context } = await open(t);
  const message = {
    token: 't',
    title: 'SOS',
    body: 'x',
    data: { alertId: 'a' },
    ttlSeconds: 60,
    isUrgent: true,
    collapseKey: 'a',
  };
  await providers.push[0]?.send(message, context());

  t.match(sandbox.messages.list()[0]?.content.data, {
    data: { alertId: 'a', attempt_id: /^attempt-/ },
    android: { priority: 'HIGH', ttl: '60s', collapse_key: 'a', notification: { channel_id: 'alerts' } },
    apns: {
      headers: { 'apns-priority': '10', 'apns-push-type': 'alert', 'apns-collapse-id': 'a' },
      payload: { aps: { 'interruption-level': 'time-sensitive', 'content-available': 1 } },
    },
  });
});

t.test('one incident from its trigger to its resolution', async (t) => {
  const { sandbox, providers, context } = await open(t);
  for (const action of ['acknowledge', 'resolve'] as const) {
    t.match(await providers.incident[0]?.send({ action, dedupKey: 'alert-1' }, context()), {
      kind: 'accepted',
      providerMessageId: 'alert-1',
    });
  }

  t.match(
    sandbox.messages.list().map(({ content }) => content.title),
    ['acknowledge', 'resolve'],
  );
});

t.test('other pages of the web learn nothing', async (t) => {
  const { sandbox } = await open(t);
  const ask = (headers: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(sandbox.port, '127.0.0.1', () =>
        socket.write(`GET /sandbox/messages HTTP/1.1\r\n${headers}\r\nConnection: close\r\n\r\n`),
      );
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('end', () => resolve(text.slice(9, 12)));
      socket.on('error', reject);
    });

  t.equal(await ask(`Host: 127.0.0.1:${sandbox.port}`), '200');
  t.equal(await ask('Host: evil.example'), '421');
  t.equal(await ask(`Host: localhost:${sandbox.port}\r\nOrigin: http://evil.example`), '403');
});

t.test('the inbox page runs nothing but its own script, and hears of every change', async (t) => {
  const { sandbox, ask, sms, context } = await open(t);
  for (const path of ['/', '/inbox.css', '/inbox.js']) {
    const response = await ask('GET', path);
    t.equal(response.status, 200, path);
    t.match(response.headers.get('content-security-policy'), /default-src 'none'; script-src 'self'/);
    t.ok((await response.text()).length > 500);
  }
  const stopping = new AbortController();
  const events = await fetch(`${sandbox.url}/sandbox/events`, { signal: stopping.signal });
  let heard = '';
  const reading = (async () => {
    for await (const chunk of events.body ?? []) heard += Buffer.from(chunk).toString();
  })().catch(() => undefined);

  await sms.send({ to, text: 'hello' }, context());

  await waitFor(() => /event: message\ndata: .*hello/.test(heard), { withinMs, what: 'the message' });
  t.match(heard, /^event: all\ndata: \[\]\n\n/);
  await ask('POST', '/sandbox/reset');
  await waitFor(() => heard.match(/event: all/g)?.length === 2, { withinMs, what: 'the empty inbox' });
  stopping.abort();
  await within(reading, { withinMs, what: 'the end of the stream' });
});
