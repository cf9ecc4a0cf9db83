import type { Durability, SosReply } from '@hushryd/contracts/http/sos';
import { AppError } from '@hushryd/platform/errors/app-error';
import { raceTimer } from '@hushryd/platform/lifecycle/race-timer';
import type { Logger } from '@hushryd/platform/logging/logger';
import { mongoOutcome } from '@hushryd/platform/mongo/deadline';
import { type AlertRecord, isPress } from '../direct/direct-records.ts';
import type { DirectSending } from '../direct/open-direct.ts';
import type { IntakeStream } from '../journal/intake-stream.ts';
import type { Journal } from '../journal/journal.ts';
import type { AlertDocument } from './alert-document.ts';
import type { AlertMetrics } from './alert-metrics.ts';
import type { Accepted, AlertStore } from './alert-store.ts';
import type { AnnounceAlert } from './announce-alert.ts';
import type { CrashAlert } from './crash-points.ts';
import type { NoteSealer } from './note-sealer.ts';
import { toProvisionalAlert } from './provisional-alert.ts';
import { createRecordPress, type Press, type ReadOutreachList } from './record-press.ts';
import { toProvisionalReply, toReply } from './to-reply.ts';
import { recordKey, type TriggerRecord } from './trigger-record.ts';

export interface RaiseSosParts {
  store: Pick<AlertStore, 'accept'>;
  journal: Journal<AlertRecord>;
  intake: Pick<IntakeStream<TriggerRecord>, 'add'>;
  readOutreachList: ReadOutreachList;
  sealer: Pick<NoteSealer, 'seal'>;
  announce: AnnounceAlert;
  /** Sends what the database does not take. */
  direct: Pick<DirectSending, 'holds' | 'take' | 'handOver'>;
  /** Leaves a hint that the alert is there, once the operators have heard of it. Never throws; the sweepers find the alert without. */
  hint?: ((alert: Pick<AlertDocument, '_id' | 'correlationId'>) => Promise<void>) | undefined;
  crashAt: CrashAlert;
  metrics: AlertMetrics;
  log: Logger;
  region: string;
  timing?: Partial<RaiseTiming>;
  now?: () => number;
}

export interface RaiseTiming {
  /** Contacts that have not come by then are read later. */
  contactsWithinMs: number;
  /** The database has not answered by then: the intake stream is asked too, so that its answer is there in time. */
  intakeAfterMs: number;
  /** The database has not answered by then: what else holds the press is the answer. */
  answerAfterMs: number;
  /** Longest wait for a disk that hangs. */
  journalWithinMs: number;
  /** Where nothing else holds the press, the database has until then. */
  giveUpAfterMs: number;
}

/** Source: reliability §6. Whoever forwards a press waits 1 s, and tells the phone to try HTTPS where it takes longer. */
const defaultTiming: RaiseTiming = {
  contactsWithinMs: 50,
  intakeAfterMs: 500,
  answerAfterMs: 800,
  journalWithinMs: 1_000,
  giveUpAfterMs: 2_200,
};

export interface RaiseSos {
  /**
   * Take an alert: persist it, answer, and tell the operators. Nothing is told to anybody before it is persisted, unless
   * nothing can hold it: then people are told all the same, and the phone hears that it does not stand.
   *
   * @returns the answer; its `durability` says what holds the alert
   * @throws AppError `sos_not_persisted`: nothing holds it, and the phone has to try again at once
   * Cost: one majority write beside one synced append; at most 2 s where everything hangs.
   */
  raise(press: Press): Promise<SosReply>;
  /** Announcements that are under way have ended. */
  settled(): Promise<void>;
}

type Stored = { accepted: Accepted };
type StoreOutcome = Stored | { error: unknown };
/** A press on its way to whatever shall hold it. */
interface Writing {
  record: TriggerRecord;
  isJournaled: Promise<boolean>;
  stored: Promise<StoreOutcome>;
  /** What its answers have told the operators: of however many tries share the write, the first of each kind tells. */
  told: Set<'stored' | 'provisional'>;
}
/** What holds a press outside the database: this node's journal, a Redis with a replica. */
type Held = { isLocal: boolean; isSafe: boolean };

/**
 * The way in of an alert. The database's majority and this node's journal are written side by side; whichever answers decides what the
 * phone hears, and the replayer brings what only the journal has to the database.
 *
 * A write without an answer is tried once more with the same id, unless somebody has been answered by then.
 *
 * A press that comes again meanwhile shares the write, and is answered in its own time. A second write would have to be held, since the first
 * may fail and this node send: where it was the second that landed, nobody would have sent for five seconds.
 */
export function createRaiseSos(parts: RaiseSosParts): RaiseSos {
  const { store, journal, intake, announce, direct, crashAt, metrics, log, now = Date.now } = parts;
  const timing = { ...defaultTiming, ...parts.timing };
  const recordPress = createRecordPress({ ...parts, now, withinMs: timing.contactsWithinMs });
  const underWay = new Set<Promise<unknown>>();
  /** By press, until the database's write has ended. */
  const writing = new Map<string, Promise<Writing>>();

  async function raise(press: Press): Promise<SosReply> {
    const startedAtMs = performance.now();
    const key = recordKey({ userId: press.identity.userId, triggerId: press.trigger.alertId });
    const shared = await (writing.get(key) ?? begin(key, press));
    const durability = await decide({ ...shared, key, startedAtMs });
    metrics.acceptSeconds.observe(
      { durability: typeof durability === 'string' ? durability : 'majority' },
      (performance.now() - startedAtMs) / 1000,
    );
    if (typeof durability === 'string') return answerProvisionally(shared, durability);
    return answer(shared, durability, startedAtMs);
  }

  function begin(key: string, press: Press): Promise<Writing> {
    const begun = write(key, press, performance.now());
    writing.set(key, begun);
    const end = () => writing.delete(key);
    begun.then(({ stored }) => stored).then(end, end);
    return begun;
  }

  async function write(key: string, press: Press, startedAtMs: number): Promise<Writing> {
    // Sent again before the database had it: what is stored must not depend on which time it was.
    const known = journal.find(key);
    const record = known !== undefined && isPress(known) ? known : await recordPress(press);
    crashAt('before_persist');
    return {
      record,
      isJournaled: writeJournal(key, record),
      stored: writeStore(key, record, startedAtMs),
      told: new Set(),
    };
  }

  /** What holds the press: the alert in the database, or the name of something less. */
  async function decide(
    held: Omit<Writing, 'told'> & { key: string; startedAtMs: number },
  ): Promise<Accepted | 'provisional' | 'local'> {
    const { stored } = held;
    const leftMs = (limitMs: number) => Math.max(0, limitMs - (performance.now() - held.startedAtMs));
    const early = await raceTimer(stored, leftMs(timing.intakeAfterMs), () => undefined);
    if (early !== undefined && 'accepted' in early) return early.accepted;

    const isReplicated = intake.add({ key: held.key, body: held.record }).then((isSafe) => {
      crashAt('after_intake');
      return isSafe;
    });
    const inTime = await raceTimer(stored, leftMs(timing.answerAfterMs), () => undefined);
    if (inTime !== undefined && 'accepted' in inTime) return inTime.accepted;

    const others = Promise.all([raceTimer(held.isJournaled, timing.journalWithinMs, () => false), isReplicated]).then(
      ([isLocal, isSafe]) => ({ isLocal, isSafe }),
    );
    const late = stored.then(async (outcome): Promise<Stored | Held> => ('accepted' in outcome ? outcome : others));
    const won = await Promise.race<Stored | Held>([others, late]);
    if ('accepted' in won) return won.accepted;
    if (won.isLocal) return won.isSafe ? 'provisional' : 'local';

    const last = await raceTimer(stored, leftMs(timing.giveUpAfterMs), (): StoreOutcome => ({ error: undefined }));
    if ('accepted' in last) return last.accepted;
    metrics.notPersisted.inc();
    log.error(idsOf(held.record), 'alert not persisted');
    // Nobody is told that it stands; whoever can help is called all the same.
    direct.take(held.record, { isPersisted: false, areOperatorsTold: false });
    throw new AppError('sos_not_persisted', { retryAfterMs: 1_000, cause: last.error });
  }

  function answer({ record, told }: Writing, { alert, triggerId, outcome }: Accepted, startedAtMs: number): SosReply {
    metrics.accepted.inc({ durability: 'majority' });
    log.info({ ...idsOf(record), alertId: alert._id, outcome }, 'alert accepted');
    // A press that was known may be one whose node died before it could tell anybody.
    const isNews = outcome === 'raised' || outcome === 'pressed_again' || (outcome === 'known' && alert.version === 1);
    if (isNews) {
      const name = outcome === 'pressed_again' ? 'sos.pressed_again' : 'sos.raised';
      tellOnce(told, 'stored', () => tellStored(alert, name, startedAtMs));
    }
    return toReply(alert, { triggerId, acceptedAt: record.acceptedAt });
  }

  async function tellStored(
    alert: Accepted['alert'],
    name: 'sos.raised' | 'sos.pressed_again',
    startedAtMs: number,
  ): Promise<void> {
    const isTold = await announce({ alert, name, atMs: alert.receivedAt.getTime() });
    if (isTold) metrics.processingSeconds.observe((performance.now() - startedAtMs) / 1000);
    crashAt('after_announce');
    if (isTold && alert.hasWork) await parts.hint?.(alert);
  }

  function answerProvisionally(
    { record, stored, told }: Writing,
    durability: Exclude<Durability, 'majority'>,
  ): SosReply {
    metrics.accepted.inc({ durability });
    log.warn({ ...idsOf(record), outcome: durability }, 'alert held outside the database');
    const first = oldestPressOf(record);
    const isFirst = first.triggerId === record.triggerId;
    tellOnce(told, 'provisional', () => tellAndSend({ record, stored, isFirst }));
    return toProvisionalReply(record, { first, durability });
  }

  async function tellAndSend({
    record,
    stored,
    isFirst,
  }: Pick<Writing, 'record' | 'stored'> & { isFirst: boolean }): Promise<void> {
    const areOperatorsTold = isFirst ? await tellProvisionally(record) : true;
    await sendUnlessStored({ record, stored, areOperatorsTold });
  }

  async function tellProvisionally(record: TriggerRecord): Promise<boolean> {
    const alert = toProvisionalAlert(record);
    const atMs = Date.parse(record.acceptedAt);
    const isTold = await announce({ alert, name: 'sos.raised', atMs, isProvisional: true });
    crashAt('after_announce');
    return isTold;
  }

  /** A database that is only slow has it in the end, and then everybody may send it. */
  async function sendUnlessStored({
    record,
    stored,
    areOperatorsTold,
  }: {
    record: TriggerRecord;
    stored: Promise<StoreOutcome>;
    areOperatorsTold: boolean;
  }): Promise<void> {
    if ('accepted' in (await stored)) return;
    // It has come again since, or a later press of the person has brought it: the workers have it.
    if (journal.isStored(recordKey(record))) return;
    direct.take(record, { isPersisted: true, areOperatorsTold });
  }

  /** With the database away one person has one alert on this node too. */
  function oldestPressOf(record: TriggerRecord): TriggerRecord {
    for (const { body } of journal.pendingOf(record.userId)) if (isPress(body)) return body;
    return record;
  }

  /** Never throws: a journal that fails is one thing less that holds the alert. */
  async function writeJournal(key: string, body: TriggerRecord): Promise<boolean> {
    try {
      await journal.append({ key, body });
    } catch {
      return false;
    }
    crashAt('after_journal');
    return true;
  }

  async function writeStore(key: string, record: TriggerRecord, startedAtMs: number): Promise<StoreOutcome> {
    const isHeld = direct.holds(record.triggerId);
    try {
      await bringOlder(key, record);
      const accepted = await store.accept(record, { isHeld }).catch((error: unknown) => {
        if (mongoOutcome(error) === 'answered' || performance.now() - startedAtMs > timing.answerAfterMs) throw error;
        return store.accept(record, { isHeld });
      });
      crashAt('after_persist');
      journal.markStored(key);
      handOver(accepted.alert, record);
      return { accepted };
    } catch (error) {
      return { error };
    }
  }

  /**
   * A person's presses go to the database in the order in which this node has answered them: where it has said that an alert is joined,
   * that one comes first. Usually there is none before.
   */
  async function bringOlder(key: string, { userId }: TriggerRecord): Promise<void> {
    for (const { key: olderKey, body } of journal.pendingOf(userId)) {
      if (olderKey === key) return;
      if (!isPress(body) || journal.isStored(olderKey)) continue;
      const ageMs = Math.max(0, now() - Date.parse(body.acceptedAt));
      const { alert, outcome } = await store.accept(body, { ageMs, isHeld: direct.holds(body.triggerId) });
      journal.markStored(olderKey);
      handOver(alert, body);
      if (outcome === 'raised') tell(announce({ alert, name: 'sos.raised', atMs: alert.receivedAt.getTime() }));
    }
  }

  /** Where it fails, the replay comes again. */
  function handOver(alert: Accepted['alert'], { triggerId }: TriggerRecord): void {
    if (!direct.holds(triggerId)) return;
    tell(
      direct.handOver(alert, triggerId).catch((err: unknown) => log.warn({ err, triggerId }, 'not handed over yet')),
    );
  }

  function tell(work: Promise<unknown>): void {
    const done = work.finally(() => underWay.delete(done));
    underWay.add(done);
  }

  function tellOnce(told: Writing['told'], what: 'stored' | 'provisional', work: () => Promise<void>): void {
    if (told.has(what)) return;
    told.add(what);
    tell(work());
  }

  return {
    raise,
    async settled() {
      await Promise.allSettled(underWay);
    },
  };
}

const idsOf = ({ triggerId, correlationId }: TriggerRecord) => ({ triggerId, correlationId });
