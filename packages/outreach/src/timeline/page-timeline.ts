import type { TimelineReply } from '@hushryd/contracts/http/timeline';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { AlertDocument } from '../alerts/alert-document.ts';
import type { NoteSealer } from '../alerts/note-sealer.ts';
import { readFacts } from './read-timeline.ts';
import { showFact } from './show-fact.ts';
import type { TimelineStore } from './timeline-store.ts';

/**
 * One page of a timeline, from the first fact on. Numbers never change, so a cursor holds for ever.
 *
 * @throws AppError `cursor_invalid`, `database_unavailable`
 */
export async function pageTimeline(
  { timeline, sealer }: { timeline: TimelineStore; sealer: Pick<NoteSealer, 'open'> },
  alert: AlertDocument,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<TimelineReply> {
  const afterSeq = cursor === undefined ? 0 : readCursor(cursor);
  const found = await readFacts(timeline, alert, { afterSeq, limit: limit + 1 });
  const facts = found.slice(0, limit);
  const last = found.length > limit ? facts.at(-1) : undefined;
  return {
    alertId: alert._id,
    facts: facts.map((fact) => showFact(fact, sealer, { personId: alert.person.userId })),
    nextCursor: last === undefined ? null : writeCursor(last.seq),
  };
}

const writeCursor = (seq: number): string => Buffer.from(`after.${seq}`).toString('base64url');

function readCursor(cursor: string): number {
  const match = /^after\.(\d{1,12})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (match === null) throw new AppError('cursor_invalid');
  return Number(match[1]);
}
