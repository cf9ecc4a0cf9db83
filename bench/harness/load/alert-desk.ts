import { createPublishEvent } from '@hushryd/platform/topics/publish-event';
import { createLatencyHistogram, type LatencyHistogram } from '../latency-histogram.ts';
import type { LiveRedis } from '../live-redis.ts';
import type { Scope } from '../scope.ts';
import { encodeFrame } from './frame-reader.ts';
import { openHushrydSocket } from './handshakes.ts';
import { monotonicMs } from './monotonic.ts';

export interface AlertDesk {
  /** Publish an alert a second, `count` of them, each when it is due. */
  alert(count: number): void;
  /** Since the last time this was asked. */
  take(): AlertCounts;
}

export interface AlertCounts {
  /** From when an alert was due to be published until its frame was read. */
  readonly latencies: LatencyHistogram;
  readonly missing: number;
}

const topic = 'admin:sos';
const everyMs = 1_000;
const idMark = /"alertId":"bench-(\d+)"/;
const placeMark = /"epoch":"([^"]+)","offset":(\d+)/;

/**
 * An operator who hears of alerts, and those who raise them: drills published to the topic as the product publishes, beside whatever
 * else a scenario does.
 */
export async function openAlertDesk({
  scope,
  live,
  port,
  token,
}: {
  scope: Scope;
  live: LiveRedis;
  port: number;
  /** An operator's. */
  token: string;
}): Promise<AlertDesk> {
  const publish = createPublishEvent({ redis: live.connections.commands, keys: live.keys });
  const dueAtMs = new Map<number, number>();
  let latencies = createLatencyHistogram();
  let lastAlert = 0;
  let timer: NodeJS.Timeout | undefined;

  const { socket } = await openHushrydSocket({
    port,
    token,
    topics: [topic],
    onText(buffer, start, end) {
      const nowMs = monotonicMs();
      const text = buffer.toString('utf8', start, end);
      const alert = Number(idMark.exec(text)?.[1]);
      const due = dueAtMs.get(alert);
      if (due === undefined) return;
      dueAtMs.delete(alert);
      latencies.record(nowMs - due);
      const [, epoch, offset] = placeMark.exec(text) ?? [];
      socket.send(encodeFrame(`{"type":"ack","topic":"${topic}","epoch":"${epoch}","offset":${offset}}`));
    },
    // What it misses from then on is counted.
    onEnd: () => undefined,
  });
  scope.teardown(() => {
    clearTimeout(timer);
    socket.cut();
  });

  return {
    alert(count) {
      const startMs = monotonicMs();
      const raise = (nth: number) => {
        lastAlert += 1;
        dueAtMs.set(lastAlert, startMs + nth * everyMs);
        const event = { name: 'sos.drill', alertId: `bench-${lastAlert}`, at: new Date().toISOString() };
        publish(topic, event).catch((error: unknown) => console.error(String(error)));
        if (nth + 1 < count) timer = setTimeout(raise, startMs + (nth + 1) * everyMs - monotonicMs(), nth + 1);
      };
      raise(0);
    },
    take() {
      const counts = { latencies, missing: dueAtMs.size };
      latencies = createLatencyHistogram();
      dueAtMs.clear();
      return counts;
    },
  };
}
