import type { OutboxChannel } from '@hushryd/contracts/http/sos';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { channelOf } from '@hushryd/providers/provider';
import type { Attempt } from '../delivery/attempt.ts';

export interface DispatchMetrics {
  /** The first time that a provider is asked for an alert. */
  firstAttempt(seconds: number): void;
  attempt(channel: OutboxChannel, attempt: Attempt): void;
  told(channel: OutboxChannel, provider: string, result: string): void;
  ended(channel: OutboxChannel, state: string): void;
  escalated(): void;
  nobodyOnCall(): void;
  /** A device that was to get a push, and whose token cannot be decrypted. */
  unreadableDevice(): void;
  swept(count: number): void;
  /** How long the alert has waited that nobody has acknowledged for the longest, and how late the oldest entry is. */
  showAges(ages: { unackedMs: number; lateMs: number }): void;
}

/** What is watched of the way out (reliability §8). What an alarm stands on is there from the start, at 0. */
export function createDispatchMetrics(telemetry: Telemetry): DispatchMetrics {
  const firstAttemptSeconds = telemetry.histogram({
    name: 'sos_first_attempt_seconds',
    help: 'From a press, by the database’s clock, until the first provider is asked',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 6, 10, 30],
  });
  const attempts = telemetry.counter({
    name: 'sos_attempts_total',
    help: 'Attempts to reach somebody about an alert, by what the provider answered',
    labelNames: ['channel', 'provider', 'outcome'],
  });
  const receipts = telemetry.counter({
    name: 'sos_receipts_total',
    help: 'What providers told later of attempts they had taken',
    labelNames: ['channel', 'provider', 'result'],
  });
  for (const [provider, channel] of Object.entries(channelOf))
    receipts.inc({ channel, provider, result: 'arrived' }, 0);
  const ended = telemetry.counter({
    name: 'sos_entries_ended_total',
    help: 'Entries of alerts that were sent, or could not be',
    labelNames: ['channel', 'state'],
  });
  const escalated = telemetry.counter({
    name: 'sos_escalated_total',
    help: 'Steps of the escalation of alerts that nobody has acknowledged',
  });
  const nobodyOnCall = telemetry.counter({
    name: 'sos_nobody_on_call_total',
    help: 'Times that an alert had to be escalated and the rota named nobody',
  });
  const unreadableDevices = telemetry.counter({
    name: 'sos_unreadable_devices_total',
    help: 'Devices left out of alerts since their push tokens cannot be decrypted, once for each time that they were to be sent to',
  });
  const swept = telemetry.counter({
    name: 'sos_swept_total',
    help: 'Alerts in which a sweeper found something due',
  });
  const unackedAge = telemetry.gauge({
    name: 'sos_unacked_age',
    help: 'Seconds since the last press of the alert that nobody has acknowledged for the longest',
  });
  const oldestAge = telemetry.gauge({
    name: 'outbox_oldest_age',
    help: 'Seconds for which the longest due entry of an alert has been due',
  });
  return {
    firstAttempt: (seconds) => firstAttemptSeconds.observe(Math.max(0, seconds)),
    attempt: (channel, { provider, outcome, errorClass }) =>
      attempts.inc({ channel, provider, outcome: errorClass ?? outcome }),
    told: (channel, provider, result) => receipts.inc({ channel, provider, result }),
    ended: (channel, state) => ended.inc({ channel, state }),
    escalated: () => escalated.inc(),
    nobodyOnCall: () => nobodyOnCall.inc(),
    unreadableDevice: () => unreadableDevices.inc(),
    swept: (count) => swept.inc(count),
    showAges({ unackedMs, lateMs }) {
      unackedAge.set(unackedMs / 1_000);
      oldestAge.set(lateMs / 1_000);
    },
  };
}
