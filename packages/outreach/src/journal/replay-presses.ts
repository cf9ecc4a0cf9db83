import type { SosEventName } from '@hushryd/contracts/events/sos-event';
import { toAppError } from '@hushryd/platform/errors/app-error';
import { createAttempts } from '@hushryd/platform/lifecycle/attempts';
import { createLimitInFlight } from '@hushryd/platform/lifecycle/limit-in-flight';
import { createPeriodic, type Periodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import { maxTriggers } from '../alerts/accept-pipelines.ts';
import type { AlertDocument } from '../alerts/alert-document.ts';
import type { AlertMetrics } from '../alerts/alert-metrics.ts';
import type { AlertSignals } from '../alerts/alert-signals.ts';
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
  direct: Pick<DirectSending, 'holds' | 'adopt' | 'takePending' | 'dropOrphans' | 'handOver'>;
  signals: Pick<AlertSignals, 'tellStored'>;
  announce: AnnounceAlert;
  crashAt: CrashAlert;
  metrics: Pick<AlertMetrics, 'replayed' | 'replayFailed'>;
  log: Logger;
  everyMs?: number;
  /** Younger presses may still be on their own way to the database. */
  minAgeMs?: number;
  now?: () => number;
  random?: () => number;
}

export interface Replay extends Periodic {
  /** Lets go of what dead processes left, once nobody writes there any more. */
  release(): Promise<void>;
}

interface Source {
  name: 'journal' | 'abandoned' | 'intake';
  presses: { id: string; body: TriggerRecord }[];
  /** The database has it, and says so. */
  noteStored?(id: string): void;
  settle(ids: string[]): Promise<void>;
}

const intakeLimit = 500;
/** A database that was away has others to serve too when it is back. */
const peopleATurn = 200;
/** People whose presses are brought at once: what may be sent by another node is held for five seconds. */
const maxBringing = 8;
/** By then a press has stopped trying to reach the database by itself. */
const ownTriesEndMs = 3_000;
/** A press that the database has taken is sent by workers; where it has gone at once, that may not have begun. */
const workersHadMs = 5_000;

/**
 * Brings presses from the journal, from journals that dead processes of this node left, and from the intake stream into the database: at
 * start and every second. By the same rule as a press that comes in, a person's oldest first, so that one emergency stays one alert. Where the
 * database does not answer, what lies in this node's journals is sent by this node.
 *
 * A copy is given up only after a majority read has found the press. Several nodes may replay one press: it is the same.
 *
 * Cost: where nothing is held outside the database, one XRANGE a second and a look into a folder.
 */
export function createReplay(parts: ReplayParts): Replay {
  const { store, journal, intake, direct, signals, announce, crashAt, metrics, log, now = Date.now } = parts;
  const { everyMs = 1_000, minAgeMs = 2_000, random = Math.random } = parts;
  const bringing = createLimitInFlight(maxBringing);
  /** What dead processes of this node left. */
  const adopted = new Set<Journal<AlertRecord>>();
  let awaySinceMs: number | undefined;

  async function replay(source: Source): Promise<void> {
    const { settle } = source;
    if (source.presses.length === 0) return;
    const people = choosePeople(source.presses, random);
    const presses = people.flat();
    const found = await store.findPresses(presses.map(({ body }) => body));
    awaySinceMs = undefined;
    const settled = new Set<string>();
    const attempts = createAttempts();
    const give = async ({ id, body }: Source['presses'][number], alert: AlertDocument) => {
      source.noteStored?.(id);
      await direct.handOver(alert, body.triggerId);
      settled.add(id);
    };
    await Promise.all(
      presses.map((press) => {
        const alert = found.find((one) => holdsPress(one, press.body));
        return alert === undefined ? undefined : attempts.make(() => orLog(press.body, give(press, alert)));
      }),
    );
    if (settled.size > 0) {
      crashAt('before_settle');
      await settle([...settled]);
    }
    attempts.throwFirst();

    const isMissing = ({ body }: Source['presses'][number]) =>
      isRipe(body) && !found.some((alert) => holdsPress(alert, body));
    await Promise.all(
      people.map((own) => bringing(() => attempts.make(() => bringInTurn(source, own.filter(isMissing))))),
    );
    attempts.throwFirst();
  }

  async function bringInTurn(source: Source, presses: Source['presses']): Promise<void> {
    for (const { id, body } of presses) {
      // The database is away: nothing after this one would succeed.
      if (awaySinceMs !== undefined) return;
      try {
        const isFull = await orLog(body, bring(source, id, body));
        if (isFull) await source.settle([id]);
      } catch (error) {
        awaySinceMs ??= now();
        throw error;
      }
    }
  }

  /** A press that the database refuses holds up no other one. @throws AppError `database_unavailable` */
  async function orLog<Result>(record: TriggerRecord, work: Promise<Result>): Promise<Result | undefined> {
    try {
      return await work;
    } catch (error) {
      if (isAway(error)) throw error;
      metrics.replayFailed.inc();
      const { triggerId, correlationId } = record;
      log.error({ triggerId, correlationId, err: error }, 'alert not replayed, trying again');
      return undefined;
    }
  }

  /** @returns whether its copy may go without a look: its alert keeps no more ids */
  async function bring(source: Source, id: string, record: TriggerRecord): Promise<boolean> {
    crashAt('before_replay');
    const isOwn = direct.holds(record.triggerId);
    // What lies in the stream may be sent by the node that put it there.
    const isHeld = isOwn || source.name === 'intake';
    const { alert, outcome } = await store.accept(record, { ageMs: ageOf(record), isHeld });
    crashAt('after_replay');
    source.noteStored?.(id);
    if (isHeld && !isOwn) await signals.tellStored(record.triggerId);
    if (outcome !== 'known') {
      metrics.replayed.inc({ source: source.name });
      const { triggerId, correlationId } = record;
      log.warn({ alertId: alert._id, triggerId, correlationId, source: source.name, outcome }, 'alert replayed');
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

  async function replayJournal(name: 'journal' | 'abandoned', from: Journal<AlertRecord>): Promise<void> {
    try {
      await replay({
        name,
        presses: from.pending().flatMap(({ key, body }) => (isPress(body) ? [{ id: key, body }] : [])),
        noteStored: (key) => from.markStored(key),
        settle: (keys) => from.settle(keys),
      });
    } catch (error) {
      if (isAway(error)) {
        awaySinceMs ??= now();
        const isStoredToo = now() - awaySinceMs > workersHadMs;
        direct.takePending(from, { untilMs: now() - ownTriesEndMs, isStoredToo });
      }
      throw error;
    }
    await direct.dropOrphans(from);
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
    await replayJournal('abandoned', left);
    // Once more, for what the first round has brought.
    await replayJournal('abandoned', left);
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
      await attempts.make(() => replayJournal('journal', journal));
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
    async release() {
      for (const left of adopted) await left.close();
    },
  };
}

/**
 * Presses by person, each person's oldest first; of many people some, others each time, so that a press that the database refuses holds
 * up nobody for long.
 */
function choosePeople(presses: Source['presses'], random: () => number): Source['presses'][] {
  const byPerson = new Map<string, Source['presses']>();
  for (const press of presses.toSorted(byAcceptance)) {
    const own = byPerson.get(press.body.userId);
    if (own === undefined) byPerson.set(press.body.userId, [press]);
    else own.push(press);
  }
  const people = [...byPerson.values()];
  if (people.length <= peopleATurn) return people;
  const from = Math.floor(random() * people.length);
  return [...people.slice(from), ...people.slice(0, from)].slice(0, peopleATurn);
}

const isAway = (error: unknown): boolean => toAppError(error).code === 'database_unavailable';

const byAcceptance = (a: { body: TriggerRecord }, b: { body: TriggerRecord }): number =>
  a.body.acceptedAt.localeCompare(b.body.acceptedAt);

function eventOf(outcome: Accepted['outcome']): SosEventName | undefined {
  if (outcome === 'raised') return 'sos.raised';
  return outcome === 'pressed_again' ? 'sos.pressed_again' : undefined;
}
