import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';

/** The way of the canary; where it does not get further, it has failed. */
export const canaryStages = ['persisted', 'announced', 'first_attempt', 'accepted', 'ended'] as const;
export type CanaryStage = (typeof canaryStages)[number];

export interface CanaryMetrics {
  reached(stage: CanaryStage, seconds: number): void;
  failed(stage: CanaryStage): void;
  /** It got through so long ago, whoever raised it. */
  passed(agoMs: number): void;
}

/**
 * What is watched of the canary (reliability §8: missing for two minutes). The age counts from the start of the process where nothing is
 * known of an earlier one, so that a canary that never gets through shows, too.
 */
export function createCanaryMetrics(telemetry: Telemetry, monotonicMs = () => performance.now()): CanaryMetrics {
  let passedAtMs = monotonicMs();
  telemetry.gauge({
    name: 'sos_canary_last_success_age_seconds',
    help: 'Seconds since a drill of the system’s own got through, raised by any process',
    collect() {
      this.set((monotonicMs() - passedAtMs) / 1_000);
    },
  });
  const seconds = telemetry.histogram({
    name: 'sos_canary_seconds',
    help: 'From the press of the canary until it was there',
    labelNames: ['stage'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 6, 10, 20, 60],
  });
  const failures = telemetry.counter({
    name: 'sos_canary_failures_total',
    help: 'Canaries that did not get as far as this',
    labelNames: ['stage'],
  });
  for (const stage of canaryStages) failures.inc({ stage }, 0);
  return {
    reached: (stage, took) => seconds.observe({ stage }, took),
    failed: (stage) => failures.inc({ stage }),
    passed(agoMs) {
      passedAtMs = monotonicMs() - agoMs;
    },
  };
}
