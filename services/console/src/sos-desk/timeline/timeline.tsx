import type { AlertFact } from '@hushryd/contracts/http/sos';
import { ScrollText } from 'lucide-react';
import { useBackend } from '../../data/backend.ts';
import { EmptyState, SkeletonLines } from '../../feedback/empty-state.tsx';
import { ProblemNote } from '../../feedback/problem-note.tsx';
import { TextButton } from '../../feedback/text-button.tsx';
import { formatAbsolute, formatMoment } from '../../time/format-time.ts';
import { useTicking } from '../../time/use-ticking.ts';
import type { ShownAlert } from '../alerts/use-alert.ts';
import { useContactNames, useStaffName } from '../alerts/use-names.ts';
import { describeFact } from './describe-fact.ts';
import { ExportButtons } from './export-buttons.tsx';
import styles from './timeline.module.css';
import { type TimelineFacts, useTimeline } from './use-timeline.ts';

/** Everything that happened to the alert, the newest on top. */
export function Timeline({ shown }: { shown: ShownAlert }) {
  const { alert } = shown;
  const timeline = useTimeline(shown);
  const { facts, isLoading } = timeline;
  return (
    <section className={styles.timeline} aria-labelledby="timeline-heading">
      <header>
        <h2 id="timeline-heading">Timeline</h2>
        {alert !== undefined && <ExportButtons key={alert.alertId} alertId={alert.alertId} />}
      </header>
      {facts === undefined && isLoading && <SkeletonLines count={4} label="The timeline is loading" />}
      {facts === undefined && !isLoading && (
        <EmptyState title="Nothing to show" icon={<ScrollText size={20} aria-hidden />}>
          <p>Every press, message, call, order and note of the selected alert is listed here.</p>
        </EmptyState>
      )}
      {facts !== undefined && alert !== undefined && <FactList alert={alert} timeline={timeline} facts={facts} />}
    </section>
  );
}

function FactList({
  alert,
  timeline,
  facts,
}: {
  alert: NonNullable<ShownAlert['alert']>;
  timeline: TimelineFacts;
  facts: readonly AlertFact[];
}) {
  const { clock } = useBackend();
  const nowMs = useTicking(clock.nowMs, 10_000);
  const staffName = useStaffName();
  const contactName = useContactNames(alert.userId);
  const reader = { outbox: alert.outbox ?? [], staffName, contactName };
  return (
    <div className={styles.facts}>
      <ol aria-label="What happened, newest first">
        {facts.toReversed().map((fact) => (
          <li key={fact.factId} data-kind={fact.kind}>
            <time dateTime={fact.at} title={formatAbsolute(Date.parse(fact.at))}>
              {formatMoment(Date.parse(fact.at), nowMs)}
            </time>
            <span>
              <strong>{describeFact(fact, reader)}</strong>
              {fact.by !== undefined && fact.by !== alert.userId && ` by ${staffName(fact.by)}`}
              {fact.text !== undefined && <q>{fact.text}</q>}
            </span>
          </li>
        ))}
      </ol>
      {timeline.error !== null && (
        <ProblemNote error={timeline.error} what="The older facts could not be read." onRetry={timeline.showAll} />
      )}
      {timeline.hiddenCount > 0 && (
        <TextButton disabled={timeline.isLoading} onClick={timeline.showAll}>
          {timeline.hiddenCount} older ones
        </TextButton>
      )}
    </div>
  );
}
