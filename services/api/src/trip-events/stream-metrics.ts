import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';

/** Why a stream ended. `left`: the client went away; `polled`: it asked for no more than the next news. */
export type StreamEnd = 'left' | 'polled' | 'forbidden' | 'token' | 'slow' | 'draining';

export interface StreamMetrics {
  frame(type: string): void;
  conflated(): void;
  recovery(recovered: boolean): void;
  ended(reason: StreamEnd): void;
}

export function createStreamMetrics(telemetry: Telemetry): StreamMetrics {
  const frames = telemetry.counter({
    name: 'event_stream_frames_total',
    help: 'Frames sent over event streams',
    labelNames: ['type'],
  });
  const conflated = telemetry.counter({
    name: 'event_stream_conflated_total',
    help: 'Positions that a newer one replaced before a slow event stream took them',
  });
  const recoveries = telemetry.counter({
    name: 'event_stream_recoveries_total',
    help: 'Event streams that came back with a place, and whether all that was missed could be told',
    labelNames: ['recovered'],
  });
  const ends = telemetry.counter({
    name: 'event_streams_ended_total',
    help: 'Event streams that ended',
    labelNames: ['reason'],
  });
  return {
    frame: (type) => frames.inc({ type }),
    conflated: () => conflated.inc(),
    recovery: (recovered) => recoveries.inc({ recovered: String(recovered) }),
    ended: (reason) => ends.inc({ reason }),
  };
}
