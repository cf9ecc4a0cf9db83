import { createHash } from 'node:crypto';
import type { AlertSummary } from '@hushryd/contracts/http/sos';
import { type AlertExport, type ExportedFact, timelineFormat } from '@hushryd/contracts/http/timeline';
import { openFactText } from '../alerts/fact-text.ts';
import type { NoteSealer } from '../alerts/note-sealer.ts';
import { canonicalJson } from './canonical-json.ts';
import { toChainedContent } from './chain-facts.ts';
import type { SealedFact } from './timeline-document.ts';
import type { TimelineHead } from './timeline-head.ts';
import type { TimelineStore } from './timeline-store.ts';

const factsAtOnce = 1000;

/**
 * The timeline of an alert as JSON (`AlertExport`), a fact a line, page by page: memory holds one page, however long the alert lasted.
 *
 * It is what the database holds, checked by nobody here: that is the reader's part, with `verify-timeline.mjs`. A text whose key is
 * gone is left out; its digest stays, and the chain holds without it.
 *
 * @param head up to which it goes; everything below must be sealed
 * @throws AppError `database_unavailable`, also in the middle
 */
export async function* exportTimeline(
  store: TimelineStore,
  {
    alert,
    personId,
    head,
    by,
    at,
    sealer,
  }: {
    alert: AlertSummary;
    personId: string;
    head: TimelineHead;
    by: string;
    at: Date;
    sealer: Pick<NoteSealer, 'open'>;
  },
): AsyncGenerator<string> {
  const { alertId } = alert;
  const header: Omit<AlertExport, 'digest' | 'facts'> = {
    format: timelineFormat,
    alertId,
    alert,
    exportedAt: at.toISOString(),
    exportedBy: by,
    count: head.seq,
    head: head.hash,
  };
  const digest = createHash('sha256').update(canonicalJson(header), 'utf8').digest('hex');
  yield `${JSON.stringify({ ...header, digest }).slice(0, -1)},"facts":[`;
  for (let afterSeq = 0; afterSeq < head.seq; ) {
    const rows = await store.read({ alertId, afterSeq, untilSeq: head.seq, limit: factsAtOnce });
    const last = rows.at(-1);
    // What is missing is for the reader to find out: an export of a damaged timeline shows the damage.
    if (last === undefined) break;
    const lines = rows.map((row) => JSON.stringify(toExported(row, { sealer, personId })));
    yield `${afterSeq === 0 ? '' : ','}\n${lines.join(',\n')}`;
    afterSeq = last.seq;
  }
  yield '\n]}\n';
}

function toExported(
  row: SealedFact,
  { sealer, personId }: { sealer: Pick<NoteSealer, 'open'>; personId: string },
): ExportedFact {
  const { alertId: _, ...content } = toChainedContent(row);
  return { ...content, hash: row.hash, ...(row.text !== undefined && open(row.text)) };

  function open(text: NonNullable<SealedFact['text']>) {
    try {
      return openFactText(sealer, text, { personId });
    } catch {
      return {};
    }
  }
}
