import { notificationLanes } from '@hushryd/outreach/notifications/notification-document';
import { createNotificationStore } from '@hushryd/outreach/notifications/notification-store';
import { createNotify, type Notify, type NotifyRequest } from '@hushryd/outreach/notifications/notify';
import { createSendOtp } from '@hushryd/outreach/notifications/send-otp';
import { createFieldCipher } from '@hushryd/platform/crypto/field-cipher';
import { toFieldKeys } from '@hushryd/platform/crypto/field-keys';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { createDatabaseClock } from '@hushryd/platform/mongo/database-clock';
import { connectQueues } from '@hushryd/platform/queues/connect-queues';
import { openQueues } from '@hushryd/platform/queues/open-queues';
import { createKeys } from '@hushryd/platform/redis/keys';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { MongoClient } from 'mongodb';
import { toRedisSettings } from '../live-redis.ts';
import { serveCommands } from '../processes/serve-commands.ts';
import type { System } from '../system.ts';
import { inLanes } from './in-lanes.ts';
import { sendOnSchedule } from './timed-sends.ts';

export interface HubPlace {
  readonly redis: { readonly url: string; readonly prefix: string };
  readonly mongo: { readonly url: string; readonly database: string };
  /** Of the workers. */
  readonly fieldKeys: System['fieldKeys'];
}

const recordLanes = 32;
let notify: Notify | undefined;
let recorded = 0;

/** Who asks for notifications: records them and leaves their jobs, as the api does. */
async function open({ redis, mongo, fieldKeys }: HubPlace): Promise<Notify> {
  const log = createLogger({ service: 'bench', instanceId: 'bench', level: 'silent' });
  const settings = toRedisSettings(redis);
  const connections = await connectQueues({ settings, log });
  const db = new MongoClient(mongo.url, { serverSelectionTimeoutMS: 5_000 }).db(mongo.database);
  const clock = createDatabaseClock({ db, log });
  await clock.start();
  return createNotify({
    store: createNotificationStore({ db }),
    queues: openQueues({ connections, keys: createKeys(settings), names: notificationLanes, log }),
    // Nobody here has an account.
    preferences: { find: async () => null },
    cipher: createFieldCipher(toFieldKeys(fieldKeys)),
    settings: { keepMs: 86_400_000 },
    telemetry: createTelemetry({ service: 'bench', instanceId: 'bench', withProcessMetrics: false }),
    log,
    now: clock.now,
  });
}

const phoneOf = (nth: number): string => `+9198${String(10_000_000 + (nth % 90_000_000))}`;

async function record(request: Pick<NotifyRequest, 'class' | 'channels'>): Promise<void> {
  recorded += 1;
  await notify?.({
    ...request,
    template: 'ride_ended',
    recipient: { addresses: { sms: phoneOf(recorded), email: `rider-${recorded}@example.test` } },
    idempotencyKey: `bench-${process.pid}-${recorded}`,
    variables: { person: 'Asha' },
  });
}

const commands = {
  async open(place: HubPlace): Promise<void> {
    notify = await open(place);
  },
  /** One text each; resolves when all are recorded. */
  async recordTexts({ count }: { count: number }): Promise<void> {
    await inLanes(Array.from({ length: count }), recordLanes, () => record({ class: 'high', channels: ['sms'] }));
  },
  /** Mail of the lowest class. */
  async recordBulk({ count }: { count: number }): Promise<void> {
    await inLanes(Array.from({ length: count }), recordLanes, () => record({ class: 'low', channels: ['email'] }));
  },
  /** One code each, when it is due. @returns when each was due, by number, in epoch milliseconds */
  async sendCodes({ count, perSecond }: { count: number; perSecond: number }): Promise<Record<string, number>> {
    const dueAtMs: Record<string, number> = {};
    const startMs = Date.now();
    const sendOtp = createSendOtp(notify as Notify);
    await sendOnSchedule({ count, perSecond }, async (nth) => {
      recorded += 1;
      const to = phoneOf(recorded);
      dueAtMs[to] = startMs + (nth * 1_000) / perSecond;
      await sendOtp({ channel: 'sms', to, code: '482913', locale: 'en' });
    });
    return dueAtMs;
  },
};

export type HubLoadCommands = typeof commands;

serveCommands(commands);
