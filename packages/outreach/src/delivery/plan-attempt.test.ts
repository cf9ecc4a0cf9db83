import type { ProviderName } from '@hushryd/providers/provider';
import fc from 'fast-check';
import t from 'tap';
import { type PastAttempt, type PlanInput, planAttempt } from './plan-attempt.ts';

const settings = { triesPerProvider: 3, backoffMs: 500, backoffMaxMs: 5_000, longestPauseMs: 10_000 };
const providers: ProviderName[] = ['twilio-sms', 'msg91'];

/** Plays one result after another. @returns who was asked, and the pauses before each */
function play(results: PastAttempt['result'][], changes: Partial<PlanInput> = {}) {
  const attempts: PastAttempt[] = [];
  const asked: ProviderName[] = [];
  const pausesMs: number[] = [];
  let nowMs = 1_000_000;
  for (const result of results) {
    const plan = planAttempt({
      mode: 'patient',
      providers,
      attempts,
      settings,
      retryAtMs: () => undefined,
      nowMs,
      random: () => 1,
      ...changes,
    });
    if (plan.kind !== 'send') return { asked, pausesMs, plan };
    asked.push(plan.provider);
    pausesMs.push(plan.notBeforeMs - nowMs);
    nowMs = plan.notBeforeMs + 10;
    attempts.push({ provider: plan.provider, result, endedAtMs: nowMs });
  }
  const rest = { settings, retryAtMs: () => undefined, nowMs, random: () => 1 };
  return { asked, pausesMs, plan: planAttempt({ mode: 'patient', providers, attempts, ...rest, ...changes }) };
}

t.test('a provider is tried three times with growing pauses, then the next one', async (t) => {
  const { asked, pausesMs, plan } = play(Array(6).fill('retry'));

  t.strictSame(asked, ['twilio-sms', 'twilio-sms', 'twilio-sms', 'msg91', 'msg91', 'msg91']);
  t.strictSame(pausesMs, [0, 500, 1000, 0, 500, 1000]);
  t.strictSame(plan, { kind: 'ended', reason: 'exhausted' });
});

t.test('what one provider cannot do is the next one’s at once, what nobody can do ends', async (t) => {
  t.strictSame(play(['next', 'silent']).asked, ['twilio-sms', 'msg91']);
  t.strictSame(play(['retry', 'give-up']).plan, { kind: 'ended', reason: 'give-up' });
  t.strictSame(play([], { providers: [] }).plan, { kind: 'ended', reason: 'no-provider' });
});

t.test('an open breaker is passed by; with nobody left it is waited for', async (t) => {
  const open = (names: ProviderName[]) => ({
    retryAtMs: (name: ProviderName) => (names.includes(name) ? 1_120_000 : undefined),
  });
  t.strictSame(play(['retry', 'retry'], open(['twilio-sms'])).asked, ['msg91', 'msg91']);
  t.strictSame(play(['next'], open(['twilio-sms'])).plan, { kind: 'postpone', untilMs: 1_120_000 });
  t.strictSame(play([], open(providers)).plan, { kind: 'postpone', untilMs: 1_120_000 });
});

t.test('a pause that a vendor asks for is kept, unless the next one is faster', async (t) => {
  const attempts = (retryAfterMs: number): PastAttempt[] => [
    { provider: 'twilio-sms', result: 'retry', endedAtMs: 1_000_000, retryAfterMs },
  ];
  t.match(play([], { attempts: attempts(2_000) }).plan, { provider: 'twilio-sms', notBeforeMs: 1_002_000 });
  t.match(play([], { attempts: attempts(3_600_000) }).plan, { provider: 'msg91', notBeforeMs: 1_000_000 });
  t.match(play([], { attempts: attempts(3_600_000), providers: ['twilio-sms'] }).plan, {
    kind: 'postpone',
    untilMs: 4_600_000,
  });
});

t.test('an alert takes providers in turn, and pauses only when all have failed', async (t) => {
  const alert = { mode: 'alert', retryAtMs: () => Number.POSITIVE_INFINITY } as const;
  const { asked, pausesMs, plan } = play(Array(6).fill('retry'), alert);

  t.strictSame(asked, ['twilio-sms', 'msg91', 'twilio-sms', 'msg91', 'twilio-sms', 'msg91']);
  t.strictSame(pausesMs, [0, 0, 500, 0, 1000, 0], 'whatever the breakers say');
  t.strictSame(plan, { kind: 'ended', reason: 'exhausted' });
  t.strictSame(play(['give-up', 'silent', 'retry'], alert).asked, ['twilio-sms', 'msg91', 'msg91']);
});

t.test('no provider is asked more often than it may be, and none that said no is asked again', async (t) => {
  const seed = Date.now() % 2 ** 31;
  t.comment(`fast-check seed ${seed}`);
  const result = fc.constantFrom<PastAttempt['result']>('retry', 'next', 'give-up', 'silent');
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.array(result, { minLength: 20, maxLength: 20 }),
        fc.constantFrom('patient', 'alert'),
        (results, mode) => {
          const { asked, plan } = play(results, { mode });
          const byProvider = providers.map((provider) => asked.filter((name) => name === provider).length);
          const isFinal = (at: number) => ['next', 'give-up'].includes(results[at] ?? '');
          const askedAgain = asked.some((name, at) => isFinal(at) && asked.indexOf(name, at + 1) !== -1);
          return plan.kind === 'ended' && byProvider.every((count) => count <= 3) && !askedAgain;
        },
      ),
      { seed, numRuns: 2_000 },
    ),
  );
});
