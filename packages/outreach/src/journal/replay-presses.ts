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
import { type AlertRecord, isPress, personOrAlertOf } from '../direct/direct-records.ts';
import type { DirectSending } from '../direct/open-direct.ts';
import { holdAbandoned } from './hold-folder.ts';
import type { IntakeStream } from './intake-stream.ts';
import { type Journal, openJournal } from './journal.ts';

export interface ReplayParts {
  store: Pick<AlertStore, 'accept' | 'findPresses'>;
  journal: Journal<AlertRecord>;
  journalSettings: { rootDir: string; maxBytes: number };
  intake: Pick<IntakeStream<TriggerRecord>, 'read' | 'remove'>;
  direct: Pick<DirectSending, 'holds' | 'adopt' | 'handOver'>;
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
  const { store, journal, intake, direct, announce, crashAt, metrics, log, now = Date.now } = parts;
  const { everyMs = 1_000, minAgeMs = 2_000 } = parts;
  /** What dead processes of this node left. */
  const adopted = new Set<Journal<AlertRecord>>();

  async function replay({ name, presses, settle }: Source): Promise<void> {
    if (presses.length === 0) return;
    const bodies = presses.map(({ body }) => body);
    const found = await store.findPresses(bodies);
    const held = presses.flatMap(({ id, body }) => {
      const alert = found.find((one) => holdsPress(one, body));
      return alert === undefined ? [] : [{ id, body, alert }];
    });
    await Promise.all(held.map(({ alert, body }) => direct.handOver(alert, body.triggerId)));
    const settled = held.map(({ id }) => id);
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
      // What lies in the stream may be sent by the node that put it there.
      const isHeld = source === 'intake' || direct.holds(record.triggerId);
      accepted = await store.accept(record, { ageMs: ageOf(record), isHeld });
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
    await direct.handOver(alert, record.triggerId);
    return !holdsPress(alert, record) && alert.triggerIds.length >= maxTriggers;
  }

  /** What seems to come from the future was taken by a clock that was ahead, or this one was set back: it must not wait for that. */
  const isRipe = ({ acceptedAt }: TriggerRecord) => {
    const ageMs = now() - Date.parse(acceptedAt);
    return ageMs < 0 || ageMs >= minAgeMs;
  };
  const ageOf = ({ acceptedAt }: TriggerRecord) => Math.max(0, now() - Date.parse(acceptedAt));

  const pressesOf = (from: Journal<AlertRecord>) =>
    from.pending().flatMap(({ key, body }) => (isPress(body) ? [{ id: key, body }] : []));

  /** The database is away: what has nobody who sends it is sent by this node. */
  async function orSend(from: Journal<AlertRecord>, replayed: Promise<void>): Promise<void> {
    try {
      await replayed;
    } catch (error) {
      direct.adopt(from, { untilMs: now() - minAgeMs });
      throw error;
    }
  }

  async function replayOwn(): Promise<void> {
    const settle = (keys: string[]) => journal.settle(keys);
    await orSend(journal, replay({ name: 'journal', presses: pressesOf(journal), settle }));
  }

  /** Held until they are empty: of two processes that take them over both would call people. */
  async function takeOverAbandoned(): Promise<void> {
    for (const held of await holdAbandoned(parts.journalSettings.rootDir)) {
      const left = await openJournal({ settings: parts.journalSettings, ownerOf: personOrAlertOf, log, held });
      direct.adopt(left);
      adopted.add(left);
    }
  }

  async function replayAdopted(left: Journal<AlertRecord>): Promise<void> {
    const source = { name: 'abandoned', settle: (keys: string[]) => left.settle(keys) } as const;
    await orSend(left, replay({ ...source, presses: pressesOf(left) }));
    // Once more, for what the first round has brought.
    await replay({ ...source, presses: pressesOf(left) });
    if (left.pending().length > 0) return;
    adopted.delete(left);
    await left.close();
  }

  async function replayIntake(): Promise<void> {
    const presses = await intake.read(intakeLimit);
    await replay({ name: 'intake', presses, settle: (ids) => intake.remove(ids) });
  }

  const periodic = createPeriodic({
    name: 'replay alerts',
    everyMs,
    log,
    async run() {
      const attempts = createAttempts();
      await attempts.make(replayOwn);
      await attempts.make(replayIntake);
      await attempts.make(takeOverAbandoned);
      for (const left of adopted) await attempts.make(() => replayAdopted(left));
      attempts.throwFirst();
    },
  });
  return {
    ...periodic,
    get failedCount() {
      return periodic.failedCount;
    },
    async close() {
      await periodic.close();
      for (const left of adopted) await left.close();
    },
  };
}

function eventOf(outcome: Accepted['outcome']): SosEventName | undefined {
  if (outcome === 'raised') return 'sos.raised';
  return outcome === 'pressed_again' ? 'sos.pressed_again' : undefined;
}
