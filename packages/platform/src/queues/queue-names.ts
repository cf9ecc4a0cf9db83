/**
 * The queues, each with processors of its own, so that none waits behind another. A job without BullMQ's `priority` runs before all that
 * have one (measured), so what is more urgent has another queue instead.
 */
export const queueNames = ['sos', 'critical', 'otp', 'high', 'normal', 'low'] as const;

export type QueueName = (typeof queueNames)[number];
