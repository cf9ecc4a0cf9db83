import type { SosEventName } from '@hushryd/contracts/events/sos-event';
import { toAppError } from '@hushryd/platform/errors/app-error';
import { createAttempts } from '@hushryd/platform/lifecycle/attempts';
import { createPeriodic, type Periodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import { maxTriggers } from '../alerts/accept-pipelines.ts';
import type { AlertMetrics } from '../alerts/alert-metrics.ts';
import { type Accepted, type AlertStore, holdsPress } from '../alerts/alert-store.ts';
import type { AnnounceAlert } from '../alerts/announce-alert.ts';
import type { CrashAlert } from '../alerts/crash-points.ts';
import type { TriggerRecord } from '../alerts/trigger-record.ts';
import { holdAbandoned } from './hold-folder.ts';
import type { IntakeStream } from './intake-stream.ts';
import { type Journal, openJournal } from './journal.ts';

export interface ReplayParts {
  store: Pick<AlertStore, 'accept' | 'findPresses'>;
  journal: Journal<TriggerRecord>;
  journalSettings: { rootDir: string; maxBytes: number };
  intake: Pick<IntakeStream<TriggerRecord>, 'read' | 'remove'>;
  announce: AnnounceAlert;
  crashAt: CrashAlert;
  metrics: Pick<AlertMetrics, 'replayed' | 'replayFailed'>;
  log: Logger;
  everyMs?: number;
  /** Younger presses may still be on their own way to the database. */
  minAgeMs?: number;
  now?: () => number;
}

interface Source {
  name: 'journal' | 'abandoned' | 'intake';
  presses: { id: string; body: TriggerRecord }[];
  settle(ids: string[]): Promise<void>;
}

const intakeLimit = 500;

/**
 * Brings presses from the journal, from journals that dead processes of this node left, and from the intake stream into the database: at
 * start and every second. By the same rule as a press that comes in, oldest first, so that one emergency stays one alert.
 *
 * A copy is given up only after a majority read has found the press. Several nodes may replay one press: it is the same.
 *
 * Cost: where nothing is held outside the database, one XRANGE a second and a look into a folder.
 */
export function createReplay(parts: ReplayParts): Periodic {
  const { store, journal, intake, announce, crashAt, metrics, log, now = Date.now } = parts;
  const { everyMs = 1_000, minAgeMs = 2_000 } = parts;

  async function replay({ name, presses, settle }: Source): Promise<void> {
    if (presses.length === 0) return;
    const bodies = presses.map(({ body }) => body);
    const found = await store.findPresses(bodies);
    const isHeld = (press: TriggerRecord) => found.some((alert) => holdsPress(alert, press));

    const settled = presses.filter(({ body }) => isHeld(body)).map(({ id }) => id);
    if (settled.length > 0) {
      crashAt('before_settle');
      await settle(settled);
    }
    const missing = presses.filter(({ id, body }) => !settled.includes(id) && isRipe(body));
    for (const { id, body } of missing.toSorted((a, b) => a.body.acceptedAt.localeCompare(b.body.acceptedAt))) {
      if (await bring(name, body)) await settle([id]);
    }
  }

  /** @returns whether its copy may go without a look: its alert keeps no more ids */
  async function bring(source: Source['name'], record: TriggerRecord): Promise<boolean> {
    crashAt('before_replay');
    let accepted: Accepted;
    try {
      accepted = await store.accept(record, { ageMs: ageOf(record) });
    } catch (error) {
      const { code } = toAppError(error);
      // The database is away: nothing after this one would succeed.
      if (code === 'database_unavailable') throw error;
      metrics.replayFailed.inc();
      log.error({ triggerId: record.triggerId, err: error }, 'alert not replayed, trying again');
      return false;
    }
    crashAt('after_replay');
    const { alert, outcome } = accepted;
    if (outcome !== 'known') {
      metrics.replayed.inc({ source });
      log.warn({ alertId: alert._id, triggerId: record.triggerId, source, outcome }, 'alert replayed');
      const name = eventOf(outcome);
      if (name !== undefined) await announce({ alert, name, atMs: alert.receivedAt.getTime() });
    }
    return !holdsPress(alert, record) && alert.triggerIds.length >= maxTriggers;
  }

  /** What seems to come from the future was taken by a clock that was ahead, or this one was set back: it must not wait for that. */
  const isRipe = ({ acceptedAt }: TriggerRecord) => {
    const ageMs = now() - Date.parse(acceptedAt);
    return ageMs < 0 || ageMs >= minAgeMs;
  };
  const ageOf = ({ acceptedAt }: TriggerRecord) => Math.max(0, now() - Date.parse(acceptedAt));

  async function replayOwn(): Promise<void> {
    const presses = journal.pending().map(({ key, body }) => ({ id: key, body }));
    await replay({ name: 'journal', presses, settle: (keys) => journal.settle(keys) });
  }

  async function replayAbandoned(): Promise<void> {
    for (const held of await holdAbandoned(parts.journalSettings.rootDir)) {
      const left = await openJournal<TriggerRecord>({ settings: parts.journalSettings, log, held });
      try {
        const presses = left.pending().map(({ key, body }) => ({ id: key, body }));
        const source: Source = { name: 'abandoned', presses, settle: (keys) => left.settle(keys) };
        await replay(source);
        // Once more, for what the first round has brought.
        await replay({ ...source, presses: left.pending().map(({ key, body }) => ({ id: key, body })) });
      } finally {
        await left.close();
      }
    }
  }

  async function replayIntake(): Promise<void> {
    const presses = await intake.read(intakeLimit);
    await replay({ name: 'intake', presses, settle: (ids) => intake.remove(ids) });
  }

  return createPeriodic({
    name: 'replay alerts',
    everyMs,
    log,
    async run() {
      const attempts = createAttempts();
      await attempts.make(replayOwn);
      await attempts.make(replayIntake);
      await attempts.make(replayAbandoned);
      attempts.throwFirst();
    },
  });
}

function eventOf(outcome: Accepted['outcome']): SosEventName | undefined {
  if (outcome === 'raised') return 'sos.raised';
  return outcome === 'pressed_again' ? 'sos.pressed_again' : undefined;
}
