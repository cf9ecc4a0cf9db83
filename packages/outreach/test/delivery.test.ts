import { readEnvironment } from '@hushryd/platform/config/read-environment';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { createProviders } from '@hushryd/providers/providers';
import { providersEnvironment } from '@hushryd/providers/providers-environment';
import { startSandbox } from '@hushryd/providers/sandbox/start-sandbox';
import type { SmsMessage, SmsProvider } from '@hushryd/providers/sms/sms-provider';
import t from 'tap';
import Type from 'typebox';
import type { Attempt } from '../src/delivery/attempt.ts';
import { createDeliveryDesk, type Task } from '../src/delivery/delivery.ts';
import { deliveryEnvironment, toDeliverySettings } from '../src/delivery/delivery-settings.ts';
import { createScorecards } from '../src/delivery/scorecards.ts';
import { newKey, phone } from './open-hub.ts';

const sandbox = await startSandbox();
const environment = Type.Object({ ...providersEnvironment, ...deliveryEnvironment });
const values = readEnvironment(environment, {
  ...sandbox.environment,
  PROVIDER_BACKOFF_MS: '10',
  PROVIDER_BREAKER_FAILURES: '4',
});
const providers = createProviders(values);
await providers.warmUp();
t.teardown(async () => {
  await providers.close();
  await sandbox.close();
});

function openDesk() {
  const telemetry = createTelemetry({ service: 'test', instanceId: newKey(), withProcessMetrics: false });
  const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
  const scorecards = createScorecards({ telemetry });
  return {
    telemetry,
    scorecards,
    desk: createDeliveryDesk({ settings: toDeliverySettings(values), scorecards, telemetry, log }),
  };
}

function newTask(changes: Partial<Task<SmsMessage>> = {}) {
  const attempts: Attempt[] = [];
  const to = phone();
  const task: Task<SmsMessage> = {
    mode: 'patient',
    providers: providers.sms,
    message: { to, text: 'help', dlt: { templateId: 'sos', variables: { person: 'Asha' } } },
    earlier: [],
    nextAttemptId: () => `alert-${newKey()}`,
    onAttempt: async (attempt) => {
      attempts.push(attempt);
      return undefined;
    },
    ...changes,
  };
  return {
    to,
    task,
    attempts,
    asked: () => attempts.map(({ provider }) => (provider === 'msg91' ? 'B' : 'A')).join(''),
  };
}

function breakFor(to: string, names: readonly SmsProvider['name'][] = ['twilio-sms', 'msg91']): void {
  for (const provider of names) sandbox.faults.set({ provider, mode: '500', recipient: to });
}

t.test('an alert goes to the companies in turn, and no breaker stops it', async (t) => {
  const { desk, telemetry } = openDesk();
  for (let alert = 1; alert <= 3; alert += 1) {
    const { to, task, asked } = newTask({ mode: 'alert' });
    breakFor(to);
    t.strictSame(await desk.deliver(task), { kind: 'failed', reason: 'exhausted' });
    t.equal(asked(), 'ABABAB');
  }
  t.ok(desk.retryAtMs('twilio-sms'), 'both are held back by now');
  t.match(await telemetry.registry.metrics(), /provider_breaker_open\{.*provider="msg91".*\} 1\n/);

  const { task, asked } = newTask({ mode: 'alert' });
  t.match(await desk.deliver(task), { kind: 'accepted', attempt: { provider: 'twilio-sms' } });
  t.equal(asked(), 'A');
  t.equal(desk.retryAtMs('twilio-sms'), undefined, 'and what it brings home counts');
});

t.test('other messages pass by a company that is held back, and wait where nobody is left', async (t) => {
  const { desk } = openDesk();
  const broken = newTask();
  breakFor(broken.to, ['twilio-sms']);
  await desk.deliver(broken.task);
  const second = newTask();
  breakFor(second.to, ['twilio-sms']);
  await desk.deliver(second.task);
  t.equal(`${broken.asked()} ${second.asked()}`, 'AAAB AB', 'the fourth failure in a row opens it');

  const third = newTask();
  t.match(await desk.deliver(third.task), { kind: 'accepted', attempt: { provider: 'msg91' } });
  const alone = newTask({ providers: providers.sms.slice(0, 1) });
  t.match(await desk.deliver(alone.task), { kind: 'postponed' });
  t.equal(alone.asked(), '');
});

t.test('another process goes on where one ended', async (t) => {
  const { desk } = openDesk();
  const first = newTask();
  breakFor(first.to);
  const stopped = new Error('stopped');
  let count = 0;
  const task = {
    ...first.task,
    onAttempt: async (attempt: Attempt) => {
      await first.task.onAttempt(attempt);
      count += 1;
      if (count === 2) throw stopped;
      return undefined;
    },
  };
  await t.rejects(desk.deliver(task), stopped);

  const earlier = first.attempts.map(({ provider, startedAtMs, latencyMs }) => ({
    provider,
    result: 'retry' as const,
    endedAtMs: startedAtMs + latencyMs,
  }));
  await openDesk().desk.deliver({ ...first.task, earlier });
  t.equal(first.asked(), 'AAABBB');
});

t.test('an adapter that breaks is the next one’s turn', async (t) => {
  const { desk, scorecards } = openDesk();
  const broken: SmsProvider = {
    name: 'twilio-sms',
    channel: 'sms',
    send: () => Promise.reject(new Error('a mistake of ours')),
  };
  const msg91 = providers.sms.filter(({ name }) => name === 'msg91');
  const { task, attempts } = newTask({ providers: [broken, ...msg91] });

  t.match(await desk.deliver(task), { kind: 'accepted' });

  t.match(attempts, [{ reason: 'broken', errorClass: 'next', isUnknown: true }, { outcome: 'accepted' }]);
  t.match(scorecards.list(), [
    { provider: 'twilio-sms', successShare: 0 },
    { provider: 'msg91', successShare: 1 },
  ]);
});

t.test('what is called off ends between two attempts', async (t) => {
  const { desk } = openDesk();
  const ending = new AbortController();
  const { to, task, asked } = newTask({ signal: ending.signal });
  breakFor(to);
  const calledOff = {
    ...task,
    onAttempt: async (attempt: Attempt) => {
      await task.onAttempt(attempt);
      ending.abort(new Error('called off'));
      return undefined;
    },
  };
  await t.rejects(desk.deliver(calledOff), { message: 'called off' });
  t.equal(asked(), 'A');
});
