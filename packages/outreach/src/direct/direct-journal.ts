import { raceTimer } from '@hushryd/platform/lifecycle/race-timer';
import type { Logger } from '@hushryd/platform/logging/logger';
import { acknowledge, applyChange, escalate } from './direct-alert.ts';
import { type DirectRecord, isPress, toAttempts, toDirectEntry } from './direct-records.ts';
import type { Held, HeldAlerts, Origin } from './held-alerts.ts';

/** What is done about alerts that this node sends, in the journals that have their presses. */
export interface DirectJournal {
  /**
   * Write down what was done about an alert.
   *
   * @returns whether it is in the journal; one that is full, or hangs, stops nobody from being reached
   */
  write(held: Held, body: DirectRecord): Promise<boolean>;
  /** The database has these. Never throws: what stays comes again. */
  settle(origin: Origin, keys: readonly string[]): Promise<void>;
  /** Know again what a process before this one did about alerts, by the journal that it left. */
  adopt(origin: Origin): void;
  /**
   * The database is away: what lies in this journal and was accepted by `untilMs` is sent by this node. What the database is known to have
   * counts only with `isStoredToo`.
   */
  takePending(origin: Origin, options: { untilMs: number; isStoredToo: boolean }): void;
  /** Records of alerts that nobody knows any more: the database was reached, and has them. */
  dropOrphans(origin: Origin): Promise<void>;
}

/** A disk that hangs keeps nobody from being reached. */
const journalWithinMs = 1_000;

export function createDirectJournal({ alerts, log }: { alerts: HeldAlerts; log: Logger }): DirectJournal {
  /** Keys of records that have been looked at. */
  const noted = new Set<string>();

  async function settle(origin: Origin, keys: readonly string[]): Promise<void> {
    try {
      await origin.settle(keys);
      for (const key of keys) noted.delete(key);
    } catch (err) {
      log.error({ err, count: keys.length }, 'records of an alert stay in the journal');
    }
  }

  return {
    settle,
    async write(held, body) {
      const entry = toDirectEntry(body);
      noted.add(entry.key);
      const written = held.origin.append(entry, { isLesser: true }).then(
        async () => {
          // It may have been handed over while the disk was busy.
          if (alerts.isHere(held)) held.keys.push(entry.key);
          else await settle(held.origin, [entry.key]);
          return true;
        },
        (err: unknown) => {
          noted.delete(entry.key);
          log.error({ err, alertId: body.alertId }, 'what was done about an alert is not in the journal');
          return false;
        },
      );
      return raceTimer(written, journalWithinMs, () => false);
    },

    adopt(origin) {
      const bodies = origin.pending();
      const touched = new Set(bodies.flatMap(({ body }) => (isPress(body) ? [] : [body.alertId])));
      for (const { body } of bodies) {
        if (!isPress(body) || !touched.has(body.triggerId)) continue;
        alerts.hold(body, { isPersisted: true, isParked: true, origin });
      }
      for (const { key, body } of bodies) {
        const held = isPress(body) ? undefined : alerts.ofPress(body.alertId);
        if (isPress(body) || held?.origin !== origin || noted.has(key)) continue;
        noted.add(key);
        held.keys.push(key);
        apply(held, body);
      }
    },

    takePending(origin, { untilMs, isStoredToo }) {
      for (const held of alerts.all()) if (held.origin === origin) held.isParked = false;
      for (const { key, body } of origin.pending()) {
        // What was handed over is known by its successor: it is the workers' again.
        if (!isPress(body) || body.isDrill || alerts.successorOf(body.triggerId) !== undefined) continue;
        if (alerts.ofPress(body.triggerId) !== undefined || Date.parse(body.acceptedAt) > untilMs) continue;
        if (!origin.isStored(key) || isStoredToo) alerts.hold(body, { isPersisted: true, origin });
      }
    },

    async dropOrphans(origin) {
      const orphans = origin.pending().filter(({ key, body }) => {
        if (isPress(body) || body.kind === 'acknowledged') return false;
        return !noted.has(key) && alerts.ofPress(body.alertId) === undefined;
      });
      if (orphans.length > 0) {
        await settle(
          origin,
          orphans.map(({ key }) => key),
        );
      }
    },
  };
}

/** What a journal says of an alert happens to it once more. */
function apply(held: Held, body: DirectRecord): void {
  const { document } = held;
  switch (body.kind) {
    case 'acknowledged':
      held.document = acknowledge(document, body);
      break;
    case 'escalated': {
      const at = new Date(body.atMs);
      held.document = escalate(document, { ...body, nextAt: new Date(body.nextAtMs), leaseEnd: at, at });
      break;
    }
    case 'changed': {
      const { change } = body;
      // The claims before it were not written down.
      const outbox = document.outbox.map((entry) =>
        change.kind === 'outcome' && entry.entryId === change.entryId ? { ...entry, fence: change.fence } : entry,
      );
      held.document = applyChange({ ...document, outbox }, change, body.atMs);
      for (const made of toAttempts(body.attempts)) held.attempts.set(made._id, made);
    }
  }
}
