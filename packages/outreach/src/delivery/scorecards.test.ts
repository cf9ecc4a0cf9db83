import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { createFakeClock } from '@hushryd/platform/testing/clock';
import t from 'tap';
import { addScores, createScorecards, toScorecard } from './scorecards.ts';

function open() {
  const clock = createFakeClock();
  const telemetry = createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false });
  return { clock, telemetry, scorecards: createScorecards({ telemetry, now: clock.now }) };
}

t.test('a scorecard tells share and latency, and holds nobody’s wrong number against the provider', async (t) => {
  const { scorecards, telemetry } = open();
  for (let at = 1; at <= 90; at += 1) scorecards.record({ provider: 'msg91', outcome: 'accepted', latencyMs: 100 });
  for (let at = 1; at <= 10; at += 1) {
    scorecards.record({
      provider: 'msg91',
      outcome: 'failed',
      errorClass: 'retry',
      reason: 'timeout',
      latencyMs: 3_000,
    });
  }
  const wrong = { outcome: 'failed', errorClass: 'give-up', reason: 'recipient-invalid', latencyMs: 1 } as const;
  scorecards.record({ provider: 'msg91', ...wrong });

  const [card] = scorecards.list();
  t.match(card, { provider: 'msg91', channel: 'sms', attempts: 101, accepted: 90, faults: 10, successShare: 0.9 });
  t.ok(card?.p95LatencyMs && card.p95LatencyMs > 2_500 && card.p95LatencyMs < 3_600, `${card?.p95LatencyMs} ms`);
  const text = await telemetry.registry.metrics();
  t.match(text, /provider_success_ratio\{channel="sms",provider="msg91".*\} 0\.9\n/);
  t.match(text, /delivery_attempts_total\{channel="sms",provider="msg91",outcome="retry".*\} 10\n/);
});

t.test('what is older than two windows is forgotten', async (t) => {
  const { scorecards, clock } = open();
  scorecards.record({ provider: 'fcm', outcome: 'accepted', latencyMs: 5 });
  clock.advance(300_000);
  t.match(scorecards.list(), [{ provider: 'fcm', attempts: 1 }]);
  scorecards.record({ provider: 'fcm', outcome: 'accepted', latencyMs: 5 });
  t.match(scorecards.list(), [{ provider: 'fcm', attempts: 2 }]);
  clock.advance(600_000);
  t.strictSame(scorecards.list(), []);
});

t.test('scorecards of several processes add up', async (t) => {
  const [a, b] = [open(), open()];
  a.scorecards.record({ provider: 'fcm', outcome: 'accepted', latencyMs: 10 });
  b.scorecards.record({ provider: 'fcm', outcome: 'failed', errorClass: 'retry', reason: 'network', latencyMs: 10 });

  const cards = addScores([...a.scorecards.export(), ...b.scorecards.export()]).map(toScorecard);

  t.match(cards, [{ provider: 'fcm', attempts: 2, accepted: 1, faults: 1, successShare: 0.5 }]);
});
