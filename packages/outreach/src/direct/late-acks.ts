import { AppError } from '@hushryd/platform/errors/app-error';
import { raceTimer } from '@hushryd/platform/lifecycle/race-timer';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { LateAck } from '../alerts/alert-signals.ts';
import type { AlertWork } from '../alerts/change-alert.ts';
import { acknowledgeQuietly } from '../dispatch/acknowledge-quietly.ts';
import type { DispatchStore } from '../dispatch/dispatch-store.ts';
import { isOnCallCall } from '../dispatch/take-alert-receipt.ts';
import type { Journal } from '../journal/journal.ts';
import { type AlertRecord, isPress, toDirectEntry } from './direct-records.ts';

/** That somebody takes care of alerts that are not on this node, until the database hears of it. */
export interface LateAcks {
  /** @throws AppError `sos_not_persisted` where the journal does not take it, or there are too many */
  keep(alertId: string, ack: LateAck): Promise<void>;
  /** What a journal has of alerts that are not here. */
  adopt(journal: Pick<Journal<AlertRecord>, 'pending' | 'settle'>, isHere: (alertId: string) => boolean): void;
  /** @throws AppError `database_unavailable`; what is left comes again */
  bring(): Promise<void>;
}

interface Waiting {
  alertId: string;
  ack: LateAck;
  settle(): Promise<void>;
  /** The database answered, and had no such alert. */
  missedAtMs?: number;
}

const maxWaiting = 1_000;
const journalWithinMs = 1_000;
/** So long after the database is back another node may still be bringing the alert. */
const missingForMs = 3_600_000;

export function createLateAcks({
  journal,
  work,
  store,
  log,
  now = Date.now,
}: {
  journal: Pick<Journal<AlertRecord>, 'append' | 'settle'>;
  work: AlertWork;
  store: Pick<DispatchStore, 'findAttempt'>;
  log: Logger;
  now?: () => number;
}): LateAcks {
  const waiting = new Map<string, Waiting>();

  /** @returns whether nothing more is to be done about it */
  async function bringOne(one: Waiting): Promise<boolean> {
    const { alertId, ack } = one;
    try {
      const attempt = ack.attemptId === undefined ? undefined : await store.findAttempt(ack.attemptId);
      if (attempt !== undefined && attempt !== null && !isOnCallCall(attempt)) return true;
      if (attempt !== null) {
        await acknowledgeQuietly(work, { alertId, by: attempt?.personId ?? ack.by, atMs: ack.atMs });
        return true;
      }
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'not_found') throw error;
    }
    one.missedAtMs ??= now();
    if (now() - one.missedAtMs < missingForMs) return false;
    log.error({ alertId }, 'an alert that somebody acknowledged never came');
    return true;
  }

  return {
    async keep(alertId, ack) {
      const { key, body } = toDirectEntry({ kind: 'acknowledged', alertId, ...ack });
      if (waiting.has(key)) return;
      if (waiting.size >= maxWaiting) throw new AppError('sos_not_persisted', { detail: 'too many are waiting' });
      // Also where the disk has it only after somebody was told that it does not answer.
      const written = journal.append({ key, body }, { isLesser: true }).then(() => {
        waiting.set(key, { alertId, ack, settle: () => journal.settle([key]) });
        return true;
      });
      const isKept = await raceTimer(written, journalWithinMs, () => false);
      if (!isKept) throw new AppError('sos_not_persisted', { detail: 'the disk does not answer' });
    },

    adopt({ pending, settle }, isHere) {
      for (const { key, body } of pending()) {
        if (isPress(body) || body.kind !== 'acknowledged' || isHere(body.alertId) || waiting.has(key)) continue;
        waiting.set(key, { alertId: body.alertId, ack: body, settle: () => settle([key]) });
      }
    },

    async bring() {
      for (const [key, one] of waiting) {
        let isDone = false;
        try {
          isDone = await bringOne(one);
        } catch (error) {
          if (error instanceof AppError && error.code === 'database_unavailable') throw error;
          log.error({ err: error, alertId: one.alertId }, 'an acknowledgement could not be brought to the database');
        }
        if (!isDone) continue;
        await one.settle();
        waiting.delete(key);
      }
    },
  };
}
