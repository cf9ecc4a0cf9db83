import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { channelOf } from '@hushryd/providers/provider';
import type { NotificationDocument } from './notification-document.ts';

export interface NotificationMetrics {
  /** A vendor has taken it. */
  accepted(document: NotificationDocument, nowMs: number): void;
  /** A receipt or the person's app says that it arrived. */
  delivered(document: NotificationDocument, number: string): void;
  /** Nothing more is awaited. */
  ended(document: Pick<NotificationDocument, 'lane' | 'channel' | 'state'>): void;
  /** The receipt that must come has not. */
  silent(document: NotificationDocument): void;
}

const buckets = [0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 40, 60, 120, 300];

/** How long messages take and how they end. The labels are small fixed sets. */
export function createNotificationMetrics(telemetry: Telemetry): NotificationMetrics {
  const acceptedSeconds = telemetry.histogram({
    name: 'notification_accepted_seconds',
    help: 'From the request to the moment that a vendor has it',
    labelNames: ['lane', 'channel', 'provider'],
    buckets,
  });
  const deliverySeconds = telemetry.histogram({
    name: 'notification_delivery_seconds',
    help: 'From the request to the moment that it arrived, by the vendor’s receipt',
    labelNames: ['lane', 'channel', 'provider'],
    buckets,
  });
  const arrived = telemetry.counter({
    name: 'notification_receipts_total',
    help: 'Messages of which the vendor, or the person’s app, told that they arrived',
    labelNames: ['channel', 'provider'],
  });
  // An alarm compares it with what was taken: a series that begins at 1 has never risen.
  for (const [provider, channel] of Object.entries(channelOf)) arrived.inc({ channel, provider }, 0);
  const ended = telemetry.counter({
    name: 'notifications_ended_total',
    help: 'Notifications that came to an end',
    labelNames: ['lane', 'channel', 'state'],
  });
  const silent = telemetry.counter({
    name: 'notification_receipts_missing_total',
    help: 'Messages that a vendor took and told nothing more of in time',
    labelNames: ['channel', 'provider'],
  });
  return {
    accepted({ lane, channel, createdAt, attempts }, nowMs) {
      const provider = attempts.at(-1)?.provider ?? 'unknown';
      acceptedSeconds.observe({ lane, channel, provider }, (nowMs - createdAt.getTime()) / 1_000);
    },
    delivered({ lane, channel, createdAt, deliveredAt, attempts }, number) {
      const provider = attempts.find((attempt) => attempt.number === number)?.provider ?? 'unknown';
      const seconds = ((deliveredAt ?? createdAt).getTime() - createdAt.getTime()) / 1_000;
      // Vendors that tell whole seconds may have been faster than their clock says.
      deliverySeconds.observe({ lane, channel, provider }, Math.max(0, seconds));
      arrived.inc({ channel, provider });
    },
    ended: ({ lane, channel, state }) => ended.inc({ lane, channel, state }),
    silent: ({ channel, attempts }) => silent.inc({ channel, provider: attempts.at(-1)?.provider ?? 'unknown' }),
  };
}
