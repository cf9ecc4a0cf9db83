import type { Logger } from '@hushryd/platform/logging/logger';
import { toMongoError } from '@hushryd/platform/mongo/deadline';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import type { Db } from 'mongodb';
import { chainFacts } from './chain-facts.ts';
import { headOf } from './read-timeline.ts';
import { createSealStore, type SealStore, type UnsealedAlert } from './seal-store.ts';
import type { SealedFact } from './timeline-document.ts';
import type { TimelineHead } from './timeline-head.ts';

export interface TimelineSealer {
  /**
   * Seal what waits of all alerts, or as much of it as a turn has time for; the next turn goes on behind it.
   * @returns number of facts that were sealed, by us or by somebody beside us
   */
  sealDue(signal?: AbortSignal): Promise<number>;
  /** Seal what waits of one alert. */
  sealAlert(alertId: string): Promise<number>;
}

/** Of the time, for whoever seals again and again: nobody waits for it, and a database that makes it long has others who do. */
export const sealingShare = { share: 0.1, atMostMs: 30_000 };

/** Of one command, and in memory: 16 alerts of at most 200 facts, some 2 MB. More would keep alerts that are raised meanwhile waiting behind it. */
const alertsAtOnce = 16;
const factsAtOnce = 200;
/** What has not come to its turn after this comes with the next one, and others of the database between them. */
const turnMs = 300;
const alertsATurn = 5_000;

const endings = new Set(['resolved', 'false_alarm', 'cancelled']);

/**
 * Brings facts from the alerts to `alert_timeline`, chained: insert, then take them out of the document.
 *
 * The number of a fact is its place behind the head that stands in the same document, and its hash follows from what it says and the
 * head's. So whoever reads the same document makes the same rows, and two sealers at once, or one that died between insert and taking
 * out, do each other no harm: the rows are there already, and are compared. The document is taken out of only while its head is
 * the one that was read. Any process may seal at any time; a lease only saves work.
 *
 * Where the timeline holds something else than what the document says, the alert is left as it is, counted and logged: somebody changed
 * one of the two.
 *
 * @param db on any pool but that of intake
 * @throws AppError `database_unavailable`; what was inserted is found again
 * Cost: a read of the ids of all that wait, since the embedded engine would read all of them for any part of it; for 16 alerts two reads, one
 * insert with majority, one bulk write.
 */
export function createTimelineSealer({
  db,
  deadlineMs,
  telemetry,
  log,
  store = createSealStore({ db, deadlineMs }),
  monotonicMs = () => performance.now(),
}: {
  db: Db;
  deadlineMs: number;
  telemetry: Telemetry;
  log: Logger;
  store?: SealStore;
  monotonicMs?: () => number;
}): TimelineSealer {
  const sealedFacts = telemetry.counter({
    name: 'timeline_sealed_facts_total',
    help: 'Facts of alerts that were chained and left the alert',
  });
  const conflicts = telemetry.counter({
    name: 'timeline_conflicts_total',
    help: 'Turns in which the timeline of an alert held something else than the alert said',
  });
  conflicts.inc(0);
  const waitingAlerts = telemetry.gauge({
    name: 'timeline_waiting_alerts',
    help: 'Alerts with facts that were not sealed yet, when a turn began; at most 5,000 are counted',
  });
  /** Where the last turn ended: those that cannot be sealed keep no others from it. */
  let lastId = '';

  async function sealAlerts(alerts: readonly UnsealedAlert[]): Promise<number> {
    const places = await store.placesOf(alerts);
    const chains = alerts.map((alert) => ({ alert, rows: chain(alert, places) }));
    const refused = await store.insert(chains.flatMap(({ rows }) => rows));
    const good = chains.filter(({ alert, rows }) => {
      if (!rows.some(({ _id }) => refused.has(_id))) return true;
      conflicts.inc();
      log.error({ alertId: alert._id, seq: headOf(alert).seq }, 'the timeline of an alert is not what the alert says');
      return false;
    });
    await store.takeOut(
      good.map(({ alert, rows }) => ({
        alertId: alert._id,
        count: rows.length,
        from: headOf(alert),
        to: headAfter(headOf(alert), rows),
      })),
    );
    const count = good.reduce((sum, { rows }) => sum + rows.length, 0);
    sealedFacts.inc(count);
    for (const { rows } of good) tellEnd(rows);
    return count;
  }

  /** In a log that is kept elsewhere, the last hash shows later that nobody has written the whole chain anew. */
  function tellEnd(rows: readonly SealedFact[]): void {
    const last = rows.at(-1);
    if (last === undefined || !rows.some(({ kind }) => endings.has(kind))) return;
    log.info({ alertId: last.alertId, seq: last.seq, headId: last.hash }, 'timeline of an alert sealed to its end');
  }

  async function sealAlert(alertId: string, mayGoOn = () => true): Promise<number> {
    let sealedCount = 0;
    for (let count = factsAtOnce; count === factsAtOnce && mayGoOn(); sealedCount += count) {
      count = await sealAlerts(await store.read([alertId], { factLimit: factsAtOnce }));
    }
    return sealedCount;
  }

  return {
    sealAlert: (alertId) => attempt(() => sealAlert(alertId)),
    sealDue: (signal) =>
      attempt(async () => {
        let sealedCount = 0;
        const found = await store.findWaiting(alertsATurn);
        const waiting = [...found.filter((id) => id > lastId), ...found.filter((id) => id <= lastId)];
        waitingAlerts.set(found.length);
        const endsAtMs = monotonicMs() + turnMs;
        const mayGoOn = () => !signal?.aborted && monotonicMs() < endsAtMs;
        while (waiting.length > 0 && mayGoOn()) {
          const alertIds = waiting.splice(0, alertsAtOnce);
          lastId = alertIds.at(-1) as string;
          const alerts = await store.read(alertIds, { factLimit: factsAtOnce });
          sealedCount += await sealAlerts(alerts);
          for (const { _id, facts } of alerts) {
            if (facts.length === factsAtOnce) sealedCount += await sealAlert(_id, mayGoOn);
          }
        }
        return sealedCount;
      }),
  };
}

function chain(alert: UnsealedAlert, places: ReadonlyMap<string, number>): SealedFact[] {
  return chainFacts(alert._id, headOf(alert), alert.facts, (rowId) => places.get(rowId));
}

function headAfter(head: TimelineHead, rows: readonly SealedFact[]): TimelineHead {
  const { seq, hash } = rows.at(-1) ?? head;
  return { seq, hash };
}

async function attempt<Result>(operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    throw toMongoError(error);
  }
}
