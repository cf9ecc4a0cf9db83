import { type DropReason, dropReasons } from '@hushryd/contracts/fix';
import { type PressPart, pressParts } from '@hushryd/contracts/http/read-press';
import { clientFrameSchemas } from '@hushryd/contracts/realtime/client-frames';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';

/**
 * How a message may be delivered. `location`: newest wins. `event`: ordered, or the socket is closed. `sos`: as event, ahead of what
 * waits, and repeated until acknowledged. `map`: rounds of what changed, for operators
 * and for riders who look for a car. `beacon`: what the newest frames have said. `reply`: answers
 * to the socket's own frames.
 */
export const deliveryClasses = ['location', 'event', 'sos', 'map', 'beacon', 'reply'] as const;
export type DeliveryClass = (typeof deliveryClasses)[number];

export type UpgradeOutcome = 'accepted' | 'rate_limited' | 'refused' | 'aborted';

export type ClientFrameType = keyof typeof clientFrameSchemas | 'bad';

/** Numbers that hot paths raise with `+= 1`; Prometheus reads them when it scrapes. */
export interface RealtimeMetrics {
  upgrades: Record<UpgradeOutcome, number>;
  framesReceived: Record<ClientFrameType, number>;
  fixesAccepted: { live: number; history: number };
  fixesDropped: Record<DropReason, number>;
  /** Messages meant for sockets: one published position counts once for each socket of its topic. */
  produced: Record<DeliveryClass, number>;
  /** Given to a socket that could take them. */
  handedOver: Record<DeliveryClass, number>;
  /** Replaced by a newer one while the socket was slow. */
  conflated: Record<DeliveryClass, number>;
  /** Not given, because the socket held too much already; it was closed. */
  dropped: Record<DeliveryClass, number>;
  /** Sockets that came back with the place of the last event they saw, or whose node lost its own: were they told everything? */
  recovered: Record<'event' | 'sos', number>;
  notRecovered: Record<'event' | 'sos', number>;
  /** Alerts said again because nobody had acknowledged them. */
  sosRepeated: number;
  /** Presses passed on to the api: answered, or sent over HTTPS instead. */
  sosForwarded: Record<'answered' | 'retry', number>;
  /** What of presses could not be taken as it came. */
  sosFieldsDropped: Record<PressPart, number>;
  /** Sockets that we closed, by close code. */
  closed: Record<number, number>;
  /** All sockets that ended, by close code, whoever ended them; codes that are nobody's are `other`. */
  ended: Record<string, number>;
}

/** Read when Prometheus scrapes. */
export interface RealtimeGauges {
  connections(): number;
  subscriptions(): number;
  slowSockets(): number;
  aliveNodes(): number;
  pendingFixes(): number;
  mapWatchers(): number;
  nearbyWatchers(): number;
}

export function createMetrics(telemetry: Telemetry): RealtimeMetrics {
  const tally = <Name extends string | number>(
    name: string,
    help: string,
    label: string,
    names: readonly Name[],
  ): Record<Name, number> => {
    const numbers = Object.fromEntries(names.map((key) => [key, 0])) as Record<Name, number>;
    telemetry.counter({
      name,
      help,
      labelNames: [label],
      // A labelled `inc()` costs about 1 µs, too much for each of 200,000 frames a second.
      collect() {
        this.reset();
        for (const [value, count] of Object.entries<number>(numbers)) this.inc({ [label]: value }, count);
      },
    });
    return numbers;
  };
  const byClass = (name: string, help: string) => tally<DeliveryClass>(name, help, 'class', deliveryClasses);
  const byEventClass = (name: string, help: string) => tally(name, help, 'class', ['event', 'sos'] as const);

  const metrics = {
    upgrades: tally('realtime_upgrades_total', 'Sockets asked for, by outcome', 'outcome', [
      'accepted',
      'rate_limited',
      'refused',
      'aborted',
    ]),
    framesReceived: tally<ClientFrameType>('realtime_frames_received_total', 'Frames of clients, by type', 'type', [
      ...(Object.keys(clientFrameSchemas) as ClientFrameType[]),
      'bad',
    ]),
    fixesAccepted: tally('realtime_fixes_accepted_total', 'Fixes kept: live, or as history only', 'kind', [
      'live',
      'history',
    ]),
    fixesDropped: tally(
      'realtime_fixes_dropped_total',
      'Fixes dropped with an answer, by reason',
      'reason',
      dropReasons,
    ),
    produced: byClass('realtime_produced_total', 'Messages meant for sockets'),
    handedOver: byClass('realtime_handed_over_total', 'Messages given to sockets'),
    conflated: byClass('realtime_conflated_total', 'Messages replaced by a newer one for a slow socket'),
    dropped: byClass('realtime_dropped_total', 'Messages a socket could not take; it was closed'),
    recovered: byEventClass('realtime_recovered_total', 'Times that a socket was told every event it had missed'),
    notRecovered: byEventClass(
      'realtime_not_recovered_total',
      'Times that a socket was told that events it had missed are gone',
    ),
    sosRepeated: 0,
    sosForwarded: tally('realtime_sos_forwarded_total', 'Presses passed on to the api, by what came of it', 'outcome', [
      'answered',
      'retry',
    ]),
    sosFieldsDropped: tally(
      'sos_fields_dropped_total',
      'Fields of presses that were left out, cut or replaced, so that the press could be taken',
      'field',
      pressParts,
    ),
    closed: tally<number>('realtime_closed_total', 'Sockets closed by us, by code', 'code', []),
    ended: tally<string>('realtime_ended_total', 'Sockets that ended, by code, whoever ended them', 'code', []),
  };
  telemetry.counter({
    name: 'realtime_sos_repeated_total',
    help: 'Alerts said again because they were not acknowledged',
    collect() {
      this.reset();
      this.inc(metrics.sosRepeated);
    },
  });
  return metrics;
}

export function registerGauges(telemetry: Telemetry, gauges: RealtimeGauges): void {
  const gauge = (name: string, help: string, read: () => number) =>
    telemetry.gauge({
      name,
      help,
      collect() {
        this.set(read());
      },
    });
  gauge('realtime_connections', 'Open sockets', gauges.connections);
  gauge('realtime_subscriptions', 'Subscriptions of open sockets', gauges.subscriptions);
  gauge('realtime_slow_sockets', 'Sockets that get only the newest positions', gauges.slowSockets);
  gauge('realtime_alive_nodes', 'Realtime nodes that are up, as this one sees it', gauges.aliveNodes);
  gauge('realtime_pending_fixes', 'Fixes waiting for Redis', gauges.pendingFixes);
  gauge('realtime_map_watchers', 'Operators watching the map, or a part of it', gauges.mapWatchers);
  gauge('realtime_nearby_watchers', 'Riders watching the cars around them', gauges.nearbyWatchers);
}
