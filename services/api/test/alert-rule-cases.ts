/** What goes wrong in figures: from `incident` on series are so, and before it, and all others, as in a quiet hour. Samples of 5 s. */
export interface RuleCase {
  readonly alert: string;
  readonly incident: Readonly<Record<string, string>>;
  /** Where it is the incident itself that takes long. */
  readonly withinSeconds?: number;
}

export const sampleSeconds = 5;
/** Ten quiet minutes. */
export const quietSamples = 120;
export const laterSamples = 250;

const company = 'channel="sms",provider="twilio-sms"';
const accepted = (durability: string) => `sos_accepted_total{durability="${durability}"}`;
const ackBucket = 'sos_accept_seconds_bucket{durability="majority",le="0.5"}';
const ackCount = (durability: string) => `sos_accept_seconds_count{durability="${durability}"}`;
const taken = `delivery_attempts_total{${company},outcome="accepted"}`;
const arrived = `sos_receipts_total{${company},result="arrived"}`;
const historyBucket = (le: string) => `history_lag_seconds_bucket{le="${le}"}`;

/** A quiet hour, as start and step of each series. */
export const quiet: Readonly<Record<string, readonly [number, number]>> = {
  sos_unacked_age: [0, 0],
  sos_nobody_on_call_total: [0, 0],
  outbox_oldest_age: [0, 0],
  [accepted('majority')]: [0, 1],
  [accepted('provisional')]: [0, 0],
  [accepted('local')]: [0, 0],
  sos_unpersisted_notify: [0, 0],
  sos_not_persisted_total: [0, 0],
  sos_canary_last_success_age_seconds: [30, 0],
  'jobs_stalled_total{queue="sos"}': [0, 0],
  'jobs_stalled_total{queue="low"}': [0, 1],
  [taken]: [0, 1],
  [arrived]: [0, 1],
  [`notification_receipts_total{${company}}`]: [0, 0],
  'delivery_attempts_total{channel="push",provider="fcm",outcome="accepted"}': [0, 1],
  'redis_subscriptions_starved_total{role="live"}': [0, 0],
  'realtime_recovered_total{class="event"}': [0, 1],
  'realtime_not_recovered_total{class="event"}': [0, 0],
  [historyBucket('1')]: [0, 100],
  [historyBucket('30')]: [0, 100],
  [historyBucket('+Inf')]: [0, 100],
  redis_memory_used_ratio: [0.3, 0],
  fix_batch_failed_total: [0, 0],
  'fix_batch_seconds_bucket{le="0.25"}': [0, 100],
  fix_batch_seconds_count: [0, 100],
  database_clock_offset_seconds: [0.1, 0],
  [ackBucket]: [0, 1],
  [ackCount('majority')]: [0, 1],
  [ackCount('local')]: [0, 0],
  'realtime_dropped_total{class="position"}': [0, 0],
  'realtime_produced_total{class="position"}': [0, 1_000],
};

const goesTo = (value: number) => `${value}x${laterSamples}`;
const rises = (from: number, step: number) => `${from}+${step}x${laterSamples}`;
const stops = (name: string) => goesTo((quiet[name]?.[1] ?? 0) * (quietSamples - 1));

export const ruleCases: readonly RuleCase[] = [
  { alert: 'SosUnacknowledged', incident: { sos_unacked_age: rises(0, sampleSeconds) } },
  { alert: 'SosNobodyOnCall', incident: { sos_nobody_on_call_total: goesTo(1) } },
  { alert: 'SosOutboxLate', incident: { outbox_oldest_age: rises(0, sampleSeconds) } },
  { alert: 'SosHeldOutsideMongo', incident: { [accepted('local')]: goesTo(1) } },
  { alert: 'SosHeldOutsideMongo', incident: { [accepted('provisional')]: goesTo(1) } },
  { alert: 'SosUnpersistedNotify', incident: { sos_unpersisted_notify: goesTo(1) } },
  { alert: 'SosRefused', incident: { sos_not_persisted_total: goesTo(1) } },
  {
    alert: 'SosCanaryMissing',
    incident: { sos_canary_last_success_age_seconds: rises(30, sampleSeconds) },
    withinSeconds: 120,
  },
  { alert: 'SosCanaryNotSetUp', incident: { sos_canary_last_success_age_seconds: 'stale' }, withinSeconds: 630 },
  { alert: 'SosJobsStalled', incident: { 'jobs_stalled_total{queue="sos"}': goesTo(1) } },
  { alert: 'SosNotWatched', incident: { sos_unacked_age: 'stale' } },
  { alert: 'ReceiptsMissing', incident: { [arrived]: stops(arrived) } },
  { alert: 'SubscriptionsStarved', incident: { 'redis_subscriptions_starved_total{role="live"}': goesTo(1) } },
  { alert: 'EventsNotRecovered', incident: { 'realtime_not_recovered_total{class="event"}': goesTo(3) } },
  { alert: 'HistoryLate', incident: { [historyBucket('1')]: stops(historyBucket('1')) } },
  { alert: 'RedisNearlyFull', incident: { redis_memory_used_ratio: goesTo(0.81) } },
  { alert: 'RedisRefusesWrites', incident: { fix_batch_failed_total: rises(0, 1) } },
  { alert: 'ClockOff', incident: { database_clock_offset_seconds: goesTo(-3) } },
  { alert: 'BudgetBurnsFast', incident: { [ackBucket]: stops(ackBucket) } },
  {
    alert: 'BudgetBurnsFast',
    incident: { 'fix_batch_seconds_bucket{le="0.25"}': stops('fix_batch_seconds_bucket{le="0.25"}') },
  },
  // One in a hundred: slower than one in seventy, and faster than one in 170.
  {
    alert: 'BudgetBurns',
    incident: { 'realtime_dropped_total{class="position"}': rises(0, 10) },
    withinSeconds: 1_000,
  },
];
