import type { RedisSettings } from '@hushryd/platform/config/shared-environment';
import Type, { type Static, type TObject } from 'typebox';
import { trailLinkEnvironment } from '../trail/trail-link-settings.ts';
import type { MessageSettings } from './to-alert-message.ts';

/** Variables of every process that sends alerts: spread into a service's schema. Source of the defaults: design §6. */
export const dispatchEnvironment = {
  ...trailLinkEnvironment,
  /** How often is looked for what is due; each process takes a little less, so that they do not look all at once. */
  SOS_SWEEP_MS: Type.Integer({ minimum: 10, maximum: 1_000, default: 1_000 }),
  /** SMS and WhatsApp take the next provider without a receipt for so long. */
  SOS_RECEIPT_WAIT_MS: Type.Integer({ minimum: 10, maximum: 600_000, default: 20_000 }),
  /** From one level of the escalation to the next. */
  SOS_ESCALATE_EVERY_MS: Type.Integer({ minimum: 100, maximum: 600_000, default: 60_000 }),
  /** Whoever sends an entry has it alone for so long. */
  SOS_LEASE_MS: Type.Integer({ minimum: 100, maximum: 60_000, default: 5_000 }),
  /** Alerts that a process sends at once. */
  SOS_PROCESSORS: Type.Integer({ minimum: 1, maximum: 1_000, default: 32 }),
  /** Connections to MongoDB that only dispatch uses, a process: what it writes never waits before an accept. */
  SOS_DISPATCH_POOL_SIZE: Type.Integer({ minimum: 1, maximum: 100, default: 8 }),
  /** A map that shows where an alert came from. */
  SOS_MAP_URL: Type.String({
    pattern: '^https?://.*\\{lat\\}.*\\{lng\\}',
    default: 'https://www.openstreetmap.org/?mlat={lat}&mlon={lng}#map=17/{lat}/{lng}',
    expects: 'an address with {lat} and {lng} in it',
  }),
  /** Where staff take an alert: stands in what is sent to whoever is on call. */
  SOS_DESK_URL: Type.String({
    pattern: '^https?://.*\\{alertId\\}',
    default: 'http://localhost:5002/#/sos?alert={alertId}',
    expects: 'an address with {alertId} in it',
  }),
  /** A Redis of its own for alerts that MongoDB does not have yet, and for their queue; REDIS_QUEUE_URL without it. */
  REDIS_SOS_URL: Type.Optional(
    Type.String({ pattern: '^rediss?://.+', expects: 'an address such as redis://127.0.0.1:6379', secret: true }),
  ),
};

export interface DispatchSettings {
  readonly sweepMs: number;
  readonly receiptWaitMs: number;
  readonly escalateEveryMs: number;
  readonly leaseMs: number;
  readonly processors: number;
  readonly poolSize: number;
  readonly messages: Pick<MessageSettings, 'mapUrl' | 'deskUrl'>;
  /** The page of the links that contacts are sent. */
  readonly sharePageUrl: string;
}

export function toDispatchSettings(env: Static<TObject<typeof dispatchEnvironment>>): DispatchSettings {
  return {
    sweepMs: env.SOS_SWEEP_MS,
    receiptWaitMs: env.SOS_RECEIPT_WAIT_MS,
    escalateEveryMs: env.SOS_ESCALATE_EVERY_MS,
    leaseMs: env.SOS_LEASE_MS,
    processors: env.SOS_PROCESSORS,
    poolSize: env.SOS_DISPATCH_POOL_SIZE,
    messages: { mapUrl: env.SOS_MAP_URL, deskUrl: env.SOS_DESK_URL },
    sharePageUrl: env.SHARE_PAGE_URL,
  };
}

/** The Redis of alerts, in the place of the one for queues. */
export function toSosRedis(
  redis: RedisSettings,
  { REDIS_SOS_URL: url }: Pick<Static<TObject<typeof dispatchEnvironment>>, 'REDIS_SOS_URL'>,
): RedisSettings {
  return { ...redis, urls: { ...redis.urls, queue: url ?? redis.urls.queue } };
}
