import { createDeliveryDesk, type DeliveryDesk } from '@hushryd/outreach/delivery/delivery';
import { createScorecardTelling } from '@hushryd/outreach/delivery/scorecard-exchange';
import { createScorecards } from '@hushryd/outreach/delivery/scorecards';
import type { Lifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import type { Logger } from '@hushryd/platform/logging/logger';
import { createDatabaseClock } from '@hushryd/platform/mongo/database-clock';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { createProviders, type Providers } from '@hushryd/providers/providers';
import type { Db } from 'mongodb';
import type { WorkerConfig } from './config.ts';

/** The companies that carry messages, and what this process knows of them: shared by alerts and notifications. */
export interface Delivery {
  providers: Providers;
  desk: DeliveryDesk;
  /** The database's clock: processes agree on what is due by it. */
  now: () => number;
}

/**
 * Tells other processes how the companies do, also where none of them carries notifications: alerts open incidents.
 *
 * @throws ConfigError for a company that is set up by half
 */
export async function openDelivery({
  config,
  workerId,
  redis,
  keys,
  db,
  lifecycle,
  telemetry,
  log,
}: {
  config: Pick<WorkerConfig, 'providers' | 'delivery' | 'mongo'>;
  workerId: string;
  redis: RedisClient;
  keys: Keys;
  db: Db;
  lifecycle: Lifecycle;
  telemetry: Telemetry;
  log: Logger;
}): Promise<Delivery> {
  const providers = createProviders(config.providers);
  lifecycle.add('providers', () => providers.close());
  await providers.warmUp();
  const clock = createDatabaseClock({ db, deadlineMs: config.mongo.deadlineMs, log, telemetry });
  lifecycle.add('database clock', () => clock.close());
  await clock.start();
  const { now } = clock;
  const scorecards = createScorecards({ telemetry });
  const telling = createScorecardTelling({ redis, keys, instanceId: workerId, scorecards, log });
  telling.start();
  lifecycle.add('scorecards', () => telling.close());
  const desk = createDeliveryDesk({ settings: config.delivery, scorecards, telemetry, log, now });
  return { providers, desk, now };
}
