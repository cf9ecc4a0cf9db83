import { randomBytes } from 'node:crypto';
import type { SosEvent } from '@hushryd/contracts/events/sos-event';
import type { SosTrigger } from '@hushryd/contracts/http/sos';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import type { TestRedis, TestScope } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createRecoverEvents } from '@hushryd/platform/topics/recover-events';

/** A press of the button, valid unless `changes` say otherwise. */
export function press(changes: Record<string, unknown> = {}): SosTrigger {
  return { alertId: uuidV7(), triggeredAt: new Date().toISOString(), ...changes };
}

export function uuidV7(nowMs = Date.now()): string {
  const random = randomBytes(10).toString('hex');
  const hex = `${nowMs.toString(16).padStart(12, '0')}7${random.slice(0, 3)}8${random.slice(3, 18)}`;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

export interface Desk {
  /** The event of this alert in a topic's log, as soon as it is there. */
  heard(topic: string, alertId: string, name?: string): Promise<SosEvent>;
  /** All events of the operators' topic so far. */
  all(): Promise<SosEvent[]>;
}

/** Reads what operators and those around an alert are told. */
export async function startDesk(t: TestScope, redis: Pick<TestRedis, 'settings'>): Promise<Desk> {
  const settings = redis.settings();
  const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
  const connections = await connectRedis({ settings, role: 'live', log });
  t.teardown(() => connections.close());
  const recover = createRecoverEvents({ redis: connections.commands, keys: createKeys(settings) });
  const eventsOf = async (topic: string) => {
    const found = await recover(topic, { epoch: '', offset: 0 });
    return found.recovered ? found.messages.map(({ event }) => event as SosEvent) : [];
  };
  return {
    heard: (topic, alertId, name) =>
      waitFor(
        async () =>
          (await eventsOf(topic)).find((event) => event.alertId === alertId && (name ?? event.name) === event.name),
        { withinMs: 10_000, what: `the event of ${alertId} on ${topic}` },
      ),
    all: () => eventsOf('admin:sos'),
  };
}
