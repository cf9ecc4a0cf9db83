import { toAppError } from '@hushryd/platform/errors/app-error';
import { raceTimer } from '@hushryd/platform/lifecycle/race-timer';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { toRedisError } from '@hushryd/platform/redis/unavailable';
import type { AlertMetrics } from '../alerts/alert-metrics.ts';
import type { JournalEntry } from './journal.ts';

/** An entry of the stream and its place there. */
export interface IntakeEntry<Body> extends JournalEntry<Body> {
  readonly id: string;
}

export interface IntakeStream<Body> {
  /**
   * Put an entry where every node can replay it.
   *
   * @returns true only where a replica has said that it has it; false for everything else, also for no answer. Never throws
   * Cost: XADD and WAIT in one write; on a single Redis the whole wait, since it counts no replica.
   */
  add(entry: JournalEntry<Body>): Promise<boolean>;
  /** Oldest first. What nobody can read is set aside, so that it holds up nothing. @throws AppError `redis_unavailable` */
  read(limit: number): Promise<IntakeEntry<Body>[]>;
  /** The database has these. @throws AppError `redis_unavailable` */
  remove(ids: readonly string[]): Promise<void>;
}

const waitMs = 200;
/** For a person to look at. */
const maxSetAside = 100;

/**
 * The stream `sos:intake`: a second copy of what only a node's journal holds, while MongoDB does not answer.
 *
 * "OK" of a Redis says nothing of its replicas (88 % of 12 s lost in a partition, measured), so WAIT is asked, and its number checked.
 *
 * @param redis a connection of its own: WAIT holds up whatever comes after it
 */
export function createIntakeStream<Body>({
  redis,
  keys,
  isBody,
  metrics,
  log,
  deadlineMs = 350,
}: {
  redis: RedisClient;
  keys: Pick<Keys, 'sosIntake' | 'sosIntakeBad'>;
  /** Whether a replay can make anything of it. */
  isBody: (body: unknown) => body is Body;
  metrics: Pick<AlertMetrics, 'intakeSetAside'>;
  log: Logger;
  deadlineMs?: number;
}): IntakeStream<Body> {
  const stream = keys.sosIntake();

  async function addAndWait({ key, body }: JournalEntry<Body>): Promise<boolean> {
    // A pipeline goes to one node of a cluster, the one that has the stream: WAIT speaks of the writes of its own connection.
    const replies = await redis
      .pipeline()
      .xadd(stream, '*', 'k', key, 'e', JSON.stringify(body))
      .call('wait', 1, waitMs)
      .exec();
    const [added, waited] = replies ?? [];
    if (added?.[0]) throw added[0];
    return waited !== undefined && waited[0] === null && Number(waited[1]) >= 1;
  }

  function parse([id, fields]: [id: string, fields: string[]]): IntakeEntry<Body> | undefined {
    const [, key = '', , text = ''] = fields;
    try {
      const body: unknown = JSON.parse(text);
      return isBody(body) ? { id, key, body } : undefined;
    } catch {
      return undefined;
    }
  }

  /** Kept first, and once however many nodes find it; it counts for the one that has taken it away. */
  async function setAside(entry: [id: string, fields: string[]]): Promise<void> {
    const [id] = entry;
    const text = JSON.stringify(entry);
    const list = keys.sosIntakeBad();
    const kept = await redis.multi().lrem(list, 0, text).rpush(list, text).ltrim(list, -maxSetAside, -1).exec();
    if (kept === null || kept.some(([error]) => error)) throw new Error('an entry could not be set aside');
    if ((await redis.xdel(stream, id)) === 0) return;
    metrics.intakeSetAside.inc();
    log.error({ entryId: id }, 'an entry of the intake stream is no press and was set aside');
  }

  return {
    async add(entry) {
      try {
        return await raceTimer(addAndWait(entry), deadlineMs, () => false);
      } catch (error) {
        log.warn({ code: toAppError(toRedisError(error)).code }, 'alert not put into the intake stream');
        return false;
      }
    },
    async read(limit) {
      try {
        const entries = await redis.xrange(stream, '-', '+', 'COUNT', limit);
        const read = entries.map((entry) => ({ entry, press: parse(entry) }));
        for (const { entry, press } of read) if (press === undefined) await setAside(entry);
        return read.flatMap(({ press }) => press ?? []);
      } catch (error) {
        throw toRedisError(error);
      }
    },
    async remove(ids) {
      if (ids.length === 0) return;
      try {
        await redis.xdel(stream, ...ids);
      } catch (error) {
        throw toRedisError(error);
      }
    },
  };
}
